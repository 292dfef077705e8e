// A proposal over the map: its features and what was found, who is asked, what has happened, and what may be done.
import { request, type Description, type Verdict } from "./api";
import { showCard } from "./card";
import { byId, h } from "./dom";
import { formatDate, formatTime, say, t, word } from "./i18n";
import { fetchFeatures } from "./layers";
import type { MapView } from "./map";
import { attempt } from "./notices";
import { organisationText } from "./organisations";
import { paperLinks } from "./papers";
import { correction } from "./permit-correct";
import { filesSection } from "./permit-files";
import { stepForms } from "./permit-steps";
import { deadline, grouped, proposals, stateBadge, type Asked, type Checked, type Filed, type Permit, type Step } from "./permits";
import { findingsList, verdictBadge } from "./verdict";

export class PermitCard {
  private permit: Permit | undefined;
  /** What has just been done or was in the way, said once. */
  private said = "";
  /** What has been typed into the forms of steps and not been sent, by the form and field. */
  private typed = new Map<string, string>();

  /** changed is called when a step was taken: lists are to be asked for again. */
  constructor(private readonly description: Description, private readonly map: MapView, private readonly changed: () => Promise<void>) {}

  /** Shows a proposal as it is now. */
  async open(id: number, said = ""): Promise<void> {
    if (this.permit?.id !== id) this.typed.clear();
    await attempt(async () => {
      this.permit = await request<Permit>(`${proposals}/${id}`);
      this.said = said;
      this.show();
      document.getElementById(said === "" ? "card-close" : "permit-said")?.focus();
      await this.showOnMap(this.permit);
    });
  }

  private show(): void {
    showCard({ kind: "permit", title: () => this.permit?.title ?? "", draw: () => this.draw(), closed: () => this.forget() });
  }

  private draw(): (Node | null | false)[] {
    const p = this.permit;
    if (!p) return [];
    return [
      h("p", { class: "note", id: "permit-said", role: "status", tabindex: -1, hidden: this.said === "" }, this.said),
      this.head(p),
      (p.actions ?? []).some((a) => a !== "attach") && h("button", { type: "button", class: "link", id: "permit-jump", onclick: () => toSteps("permit-steps") }, `${t("permit.todo")} ↓`),
      h("section", {}, h("h3", {}, t("permit.features")), ...(p.features ?? []).map((f) => this.feature(p, f))),
      filesSection(p, (said) => this.taken(p.id, said)),
      consultations(p),
      h("section", { id: "permit-steps" }, h("h3", { tabindex: -1 }, t("permit.todo")), ...stepForms(p, this.typed, (said) => this.taken(p.id, said), () => this.stale(p.id))),
      h("section", {}, h("h3", {}, t("permit.history")), historyOf(p.steps ?? [], "permit", saidIn)),
    ];
  }

  private head(p: Permit): HTMLElement {
    const rows: [string, Node | string][] = [
      [t("permit.state"), h("span", {}, stateBadge(p.state), " ", deadline(p))],
      [t("permit.organisation"), organisationText(p.organisation)],
      [t("permit.number"), t("permit.numbered", { id: String(p.id), revision: String(p.revision) })],
      [t("permit.filedAt"), formatTime(p.filed_at)],
    ];
    if (p.verdict?.verdict) rows.push([t("permit.verdict"), verdictBadge(p.verdict.verdict)]);
    if (p.decision) rows.push([t("permit.decision"), h("span", { id: "permit-decision" }, p.decision, " ", paperLinks("decisions", p.decision))]);
    return h("table", { class: "attributes", "data-permit": p.id, "data-revision": p.revision }, h("tbody", {}, ...rows.map(([title, value]) => h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, value)))));
  }

  private feature(p: Permit, f: Filed): HTMLElement {
    const checked = p.verdict?.features?.find((c) => c.collection === f.collection && c.id === f.id);
    const title = `${f.code} · ${say(this.description.layers.find((l) => l.name === f.collection)?.title) || f.collection}`;
    const alone = p.features?.length === 1;
    const opened = (event: Event) => {
      const { answer } = checked ?? {};
      if ((event.target as HTMLDetailsElement).open && answer) void attempt(() => this.map.drawing.show(answer));
    };
    return h("details", { class: "permitfeature", "data-feature": `${f.collection}/${f.id}`, open: alone, ontoggle: opened },
      h("summary", {}, verdictBadge(checked?.answer?.verdict ?? ""), " ", title),
      h("button", { type: "button", class: "link", onclick: () => void attempt(() => this.find(f)) }, t("check.evidence")),
      checked?.number && h("p", { class: "kind" }, t("permit.recorded", { number: checked.number }), " ", paperLinks("verdicts", checked.number)),
      checked?.answer ? findingsList(checked.answer, this.map, true) : faults(checked),
      ...(checked?.answer ? this.others(p, f, checked.answer) : []),
      p.state === "more_asked" && p.actions?.includes("supplement") && correction(this.description, f, (said) => this.taken(p.id, said)));
  }

  /** What the mast is to others of the proposal. */
  private others(p: Permit, f: Filed, answer: Verdict): HTMLElement[] {
    const findings = (p.verdict?.each_other ?? []).filter((one) => one.collection === f.collection && one.id === f.id).map((one) => one.finding);
    if (findings.length === 0) return [];
    return [h("h4", {}, t("permit.eachOther")), h("div", { class: "eachother" }, findingsList({ ...answer, findings }, this.map))];
  }

  private async find(f: Filed): Promise<void> { this.map.show(...await fetchFeatures(f.collection, [f.became ?? f.id])); }

  /** All features on the map, and of one alone what was found. */
  private async showOnMap(p: Permit): Promise<void> {
    const answers = (p.verdict?.features ?? []).flatMap((c) => (c.answer?.point ? [{ at: c.answer.point, verdict: c.answer.verdict, answer: c.answer }] : []));
    this.map.drawing.clear();
    this.map.pins(answers);
    const byLayer = grouped(p.features ?? [], (f) => f.collection);
    const rows = await Promise.all([...byLayer].map(([collection, of]) => fetchFeatures(collection, of.map((f) => f.became ?? f.id))));
    if (this.permit !== p) return; // another one is open by now
    this.map.show(...rows.flat());
    const alone: Verdict | undefined = answers.length === 1 ? answers[0]?.answer : undefined;
    if (alone) await this.map.drawing.show(alone);
  }

  private async taken(id: number, said: string): Promise<void> {
    this.typed.clear();
    await Promise.all([this.open(id, said), this.changed()]);
  }

  /** Somebody was first: the proposal is read again, and what was typed stays. */
  private async stale(id: number): Promise<void> { await Promise.all([this.open(id, t("permit.stale")), this.changed()]); }

  /** The focus goes back to the list, if it was in the card. */
  private forget(): void {
    if (byId("card").contains(document.activeElement)) document.querySelector<HTMLElement>(`[data-permit="${this.permit?.id}"] button.permit`)?.focus();
    this.permit = undefined;
    this.typed.clear();
    this.map.clear();
  }
}

/** Findings may be long: the way to what may be done. */
export function toSteps(section: string): void {
  const heading = document.querySelector<HTMLElement>(`#${section} h3`);
  heading?.scrollIntoView({ block: "start" });
  heading?.focus({ preventScroll: true });
}

function faults(checked: Checked | undefined): HTMLElement {
  const list = checked?.faults ?? [];
  if (list.length === 0) return h("p", { class: "none" }, t("permit.noCheck"));
  return h("ul", { class: "problem" }, ...list.map((f) => h("li", {}, [f.at.replace("/", ""), say(f.detail)].filter((part) => part).join(": "))));
}

/** What agencies are asked, one line for an agency: each is asked about all features at once. */
function consultations(p: Permit): HTMLElement | null {
  const asked = p.consultations ?? [];
  const missing = p.missing_consents ?? [];
  if (asked.length === 0 && missing.length === 0) return null;
  const each = [...grouped(asked, (c) => [c.agency, c.state, c.answer, c.due_on].join("|")).values()].map((of) => of[0] as Asked);
  return h("section", { id: "permit-consultations" }, h("h3", {}, t("permit.consultations")),
    h("ul", { class: "asked" }, ...each.map((c) => h("li", { "data-agency": c.agency, "data-state": c.state },
      organisationText(c.agency), c.required && h("em", {}, ` · ${t("permit.required")}`),
      h("div", {}, c.answer ? word("consult.answer", c.answer) : t(`consult.state.${c.state}`),
        c.state === "open" && c.due_on && h("span", {}, " · ", answerBy(c.due_on, p)),
        c.document_number && ` · ${t("permit.document", { number: c.document_number, date: c.document_date ? formatDate(c.document_date) : "—" })}`),
      c.note && h("p", { class: "said" }, c.note)))),
    missing.length > 0 && h("p", { class: "note illustrative", id: "missing-consents" }, t("permit.missing"), " ",
      ...missing.flatMap((agency, i) => [i > 0 ? ", " : "", agency ? organisationText(agency) : t("permit.missing.unnamed")])));
}

/** The proposal says of its date, which is that of those who are asked, whether it has passed. */
function answerBy(due: string, p: Permit): HTMLElement {
  const late = p.overdue && p.due_on !== null && due <= p.due_on;
  const date = formatDate(due);
  return h("span", { class: late ? "due late" : "" }, late ? t("permit.overdue", { date }) : t("permit.answerBy", { date }));
}

/** A step of either kind of file. */
type Taken = Pick<Step, "action" | "party" | "organisation" | "who" | "at" | "reasons" | "due_on">;

/** The steps, the latest first: what, when and by whom, what else was said, and by when the next was due. */
export function historyOf<S extends Taken>(steps: S[], of: "permit" | "share", said: (step: S) => HTMLElement[]): HTMLElement {
  return h("ol", { class: "history" }, ...[...steps].reverse().map((s) => h("li", { "data-action": s.action },
    h("strong", {}, word(`${of}.did`, s.action)), " ", h("span", { class: "kind" }, formatTime(s.at), " · ", byWhom(s, of)),
    s.reasons && h("p", { class: "said" }, s.reasons),
    ...said(s),
    s.due_on && h("div", { class: "kind" }, t("permit.due", { date: formatDate(s.due_on) })))));
}

function saidIn(s: Step): HTMLElement[] {
  return [
    ...(s.detail?.agencies ? [h("div", {}, ...s.detail.agencies.flatMap((a, i) => [i > 0 ? ", " : "", organisationText(a)]))] : []),
    ...(s.detail?.answer ? [h("div", {}, s.detail.agency ? organisationText(s.detail.agency) : "", ": ", word("consult.answer", s.detail.answer))] : []),
    ...(s.conditions && s.conditions.length > 0 ? [h("ul", { class: "conditions" }, ...s.conditions.map((c) => h("li", {}, c)))] : []),
  ];
}

function byWhom(s: Taken, of: "permit" | "share"): HTMLElement {
  return h("span", {}, word(`${of}.party`, s.party), s.organisation ? ": " : "", s.organisation && organisationText(s.organisation), s.who && ` (${s.who.replace(/^person:/, "")})`);
}
