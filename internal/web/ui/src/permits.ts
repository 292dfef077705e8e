// Proposals as the API gives them, and what of them the page says in words.
import { api, request, type Finding, type Link, type Verdict } from "./api";
import { h } from "./dom";
import { formatDate, t, word, type Text } from "./i18n";
import { session } from "./session";

export interface Filed { collection: string; id: number; code: string; became: number | null }

export interface Checked { collection: string; id: number; number?: string; answer: Verdict | null; faults: { at: string; detail: Text }[] | null }

export interface Step {
  revision: number;
  action: string;
  party: string;
  organisation: string | null;
  who: string | null;
  at: string;
  after: string;
  reasons: string | null;
  conditions: string[] | null;
  detail: { agencies?: string[]; required?: boolean; agency?: string; answer?: string; document_number?: string; document_date?: string | null } | null;
  due_on: string | null;
  expires_on: string | null;
}

export interface Asked {
  id: number;
  collection: string;
  feature: number;
  agency: string;
  state: "open" | "answered" | "withdrawn";
  due_on: string | null;
  answer: string | null;
  answered_at: string | null;
  note: string | null;
  required: boolean;
  document_number: string | null;
  document_date: string | null;
}

export interface Permit {
  id: number;
  organisation: string;
  title: string;
  state: string;
  revision: number;
  filed_at: string;
  due_on: string | null;
  expires_on: string | null;
  overdue: boolean;
  awaits_answer: boolean;
  decision: string | null;
  features?: Filed[];
  /** each_other is what masts of the proposal are to each other, where they are too near. */
  verdict?: { verdict: string; features?: Checked[]; each_other?: { collection: string; id: number; finding: Finding }[] };
  steps?: Step[];
  consultations?: Asked[];
  missing_consents?: string[];
  actions?: string[];
}

/** The layers whose drafts can be filed. */
export const filedLayers = ["bts_sites", "cable_segments", "ducts", "fibre_routes", "pole_lines", "postal_points"];

export const proposals = `${api}/proposals`;

/** A page of proposals, what is due first before the rest, and where the next one is. */
export async function listPermits(query: Record<string, string>, from?: string): Promise<{ list: Permit[]; next: string | undefined }> {
  const address = from ?? `${proposals}?${new URLSearchParams({ sortby: "due_on", ...query }).toString()}`;
  const answer = await request<{ proposals: Permit[]; links: Link[] }>(address);
  return { list: answer.proposals, next: pathOf(answer.links.find((l) => l.rel === "next")?.href) };
}

/** The path of an address of the API on this server, by whatever name it calls itself. */
export function pathOf(href: string | undefined): string | undefined {
  if (href === undefined) return undefined;
  const { pathname, search } = new URL(href, location.href);
  return pathname + search;
}

const has = (...roles: string[]): boolean => session().grants.some((g) => roles.includes(g.role));

/** Whether the one signed in acts on what others file. */
export function isStaff(): boolean { return has("officer", "approver", "administrator"); }

/** Whether the next step is one for the one signed in, as far as a list tells. */
export function waitsForMe(p: Permit): boolean {
  if (p.awaits_answer) return true;
  if (p.organisation === session().organisation) return p.state === "more_asked";
  return isStaff() && (["filed", "supplemented", "consulting"].includes(p.state) || (p.state === "approved" && p.overdue));
}

/** Until when what is to be done; what is late says so. */
export function deadline(p: Pick<Permit, "due_on" | "expires_on" | "overdue" | "state">): HTMLElement {
  const due = p.due_on ?? (p.state === "approved" ? p.expires_on : null);
  if (!due) return h("span", { class: "due" }, t("permit.noDeadline"));
  const date = formatDate(due);
  const said = p.overdue ? t("permit.overdue", { date }) : t(p.due_on ? "permit.due" : "permit.expires", { date });
  return h("span", { class: p.overdue ? "due late" : "due", "data-due": due }, said);
}

export function stateBadge(state: string, prefix: "permit.state" | "share.state" = "permit.state"): HTMLElement {
  return h("span", { class: `state ${state}`, "data-state": state }, word(prefix, state));
}

/** The members of a list by a key of each, in the order in which the keys come. */
export function grouped<T>(list: T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}
