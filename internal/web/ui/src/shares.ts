// Requests to share as the API gives them, and what of them the page says in words.
import { api, request, type Description, type Link } from "./api";
import { h } from "./dom";
import { formatDate, formatNumber, say, t, word } from "./i18n";
import { pathOf } from "./permits";

export interface Wanted { height_m: number | null; technologies: string[] | null; fibres: number | null; ways: number | null; poles: number | null; from: string | null }

export type Capacity = Partial<Record<string, number | null>>;

export interface Agreement { shares: { organisation: string; capital_percent: number }[] | null; terms: string; from: string | null }

export interface ShareStep {
  revision: number;
  action: string;
  party: string;
  organisation: string | null;
  who: string | null;
  at: string;
  reasons: string | null;
  capacity: Capacity | null;
  agreement: Agreement | null;
  document: { number: string; date: string | null } | null;
  due_on: string | null;
}

export interface Share {
  number: string;
  asker: string;
  partners: { organisation: string; answered_on: string | null }[];
  collection: string;
  feature: number | null;
  code: string | null;
  state: string;
  revision: number;
  asked_on: string;
  due_on: string | null;
  overdue: boolean;
  point?: [number, number];
  wanted?: Wanted;
  reasons?: string;
  position?: number;
  steps?: ShareStep[];
  actions?: string[];
}

/** The layers whose features can be asked for, or built together. */
export const sharedLayers = ["bts_sites", "ducts", "pole_lines"];

export const shareStates = ["asked", "accepted", "declined", "mediation", "agreed", "refused", "withdrawn"] as const;

export const shares = `${api}/sharing-requests`;

/** A page of requests, the newest first, and where the next one is. */
export async function listShares(query: Record<string, string>, from?: string): Promise<{ list: Share[]; next: string | undefined }> {
  const answer = await request<{ sharing_requests: Share[]; links: Link[] }>(from ?? `${shares}?${new URLSearchParams(query).toString()}`);
  return { list: answer.sharing_requests, next: pathOf(answer.links.find((l) => l.rel === "next")?.href) };
}

/** What a request is about: a feature by its code, or what is to be built together. */
export function about(s: Pick<Share, "code" | "collection">, description: Description): string {
  const title = say(description.layers.find((l) => l.name === s.collection)?.title) || s.collection;
  return s.code === null ? t("share.together", { what: title.toLowerCase() }) : `${s.code} · ${title}`;
}

/** What can be wanted of a layer, or there can be room for. */
export function quantities(collection: string): { wanted: string[]; capacity: string[] } {
  switch (collection) {
    case "bts_sites": return { wanted: ["height_m"], capacity: ["places", "height_m", "load_kg"] };
    case "ducts": return { wanted: ["ways", "fibres"], capacity: ["ways", "fibres"] };
    default: return { wanted: ["poles", "fibres"], capacity: ["poles", "fibres"] };
  }
}

/** Each quantity that is said, with its name. */
export function saidOf(of: object): string[] {
  return Object.entries(of).filter(([, value]) => typeof value === "number").map(([name, value]) => `${word("share.quantity", name)}: ${formatNumber(value as number, 2)}`);
}

export function agreementText(a: Agreement): HTMLElement {
  const parts = (a.shares ?? []).map((s) => h("li", {}, `${s.organisation}: ${formatNumber(s.capital_percent, 2)} %`));
  return h("div", {}, parts.length > 0 && h("ul", { class: "conditions" }, ...parts), a.terms && h("p", { class: "said" }, a.terms),
    a.from && h("div", { class: "kind" }, `${t("share.from")} ${formatDate(a.from)}`));
}
