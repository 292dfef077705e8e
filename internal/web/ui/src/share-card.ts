// A request to share over the map: what is asked for, what was said, and what may be done.
import { request, type Description } from "./api";
import { showCard } from "./card";
import { byId, h } from "./dom";
import { formatDate, t } from "./i18n";
import { fetchFeatures, readFeatures } from "./layers";
import type { MapView } from "./map";
import { attempt } from "./notices";
import { organisationText } from "./organisations";
import { historyOf, toSteps } from "./permit-card";
import { deadline, stateBadge } from "./permits";
import { shareForms } from "./share-steps";
import { about, agreementText, saidOf, shares, type Share, type ShareStep } from "./shares";

export class ShareCard {
  private share: Share | undefined;
  /** What has just been done or was in the way, said once. */
  private said = "";
  private typed = new Map<string, string>();

  /** changed is called when a step was taken: lists are to be asked for again. */
  constructor(private readonly description: Description, private readonly map: MapView, private readonly changed: () => Promise<void>) {}

  /** Shows a request as it is now. */
  async open(number: string, said = ""): Promise<void> {
    if (this.share?.number !== number) this.typed.clear();
    await attempt(async () => {
      this.share = await request<Share>(`${shares}/${encodeURIComponent(number)}`);
      this.said = said;
      showCard({ kind: "share", title: () => (this.share ? about(this.share, this.description) : ""), draw: () => this.draw(), closed: () => this.forget() });
      document.getElementById(said === "" ? "card-close" : "share-said")?.focus();
      await this.showOnMap(this.share);
    });
  }

  private draw(): (Node | null | false)[] {
    const s = this.share;
    if (!s) return [];
    const taking = { typed: this.typed, done: (said: string) => this.taken(s.number, said), stale: () => this.again(s.number, t("share.stale")) };
    return [
      h("p", { class: "note", id: "share-said", role: "status", tabindex: -1, hidden: this.said === "" }, this.said),
      this.head(s),
      (s.actions ?? []).length > 0 && h("button", { type: "button", class: "link", onclick: () => toSteps("share-steps") }, `${t("permit.todo")} ↓`),
      h("section", {}, h("h3", {}, t("share.wanted")), ...wanted(s)),
      h("section", { id: "share-steps" }, h("h3", { tabindex: -1 }, t("permit.todo")), ...shareForms(s, taking)),
      h("section", {}, h("h3", {}, t("permit.history")), historyOf(s.steps ?? [], "share", said)),
    ];
  }

  private head(s: Share): HTMLElement {
    const rows: [string, Node | string][] = [
      [t("share.state"), h("span", {}, stateBadge(s.state, "share.state"), " ", deadline({ ...s, expires_on: null }))],
      [t("share.asker"), organisationText(s.asker)],
      [t("share.partners"), h("span", {}, ...s.partners.flatMap((p, i) => [i > 0 && h("br"), organisationText(p.organisation), " · ",
        p.answered_on ? t("share.answeredOn", { date: formatDate(p.answered_on) }) : t("share.silent")]))],
      [t("share.number"), h("code", {}, s.number)],
      [t("share.what"), h("button", { type: "button", class: "link", id: "share-find", onclick: () => void attempt(() => this.showOnMap(s)) }, t("share.find"))],
    ];
    if (s.position) rows.push([t("share.position"), h("span", { id: "share-position" }, t("share.made", { id: String(s.position) }))]);
    return h("table", { class: "attributes", "data-share": s.number, "data-revision": s.revision }, h("tbody", {}, ...rows.map(([title, value]) => h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, value)))));
  }

  private async showOnMap(s: Share): Promise<void> {
    const found = s.feature !== null ? await fetchFeatures(s.collection, [s.feature])
      : readFeatures(s.point ? [{ type: "Feature", id: 0, geometry: { type: "Point", coordinates: s.point }, properties: {} }] : []);
    if (this.share === s && found.length > 0) this.map.show(...found);
  }

  private async taken(number: string, said: string): Promise<void> {
    this.typed.clear();
    await this.again(number, said);
  }

  private async again(number: string, said: string): Promise<void> { await Promise.all([this.open(number, said), this.changed()]); }

  /** The focus goes back to the list, if it was in the card. */
  private forget(): void {
    if (byId("card").contains(document.activeElement)) document.querySelector<HTMLElement>(`[data-share="${this.share?.number}"] button.permit`)?.focus();
    this.share = undefined;
    this.typed.clear();
    this.map.clear();
  }
}

function wanted(s: Share): HTMLElement[] {
  const w = s.wanted;
  const lines = w ? [...saidOf(w), ...(w.technologies?.length ? [`${t("share.technologies.said")}: ${w.technologies.join(", ")}`] : []), ...(w.from ? [`${t("share.from")} ${formatDate(w.from)}`] : [])] : [];
  return [h("ul", { class: "conditions", hidden: lines.length === 0 }, ...lines.map((line) => h("li", {}, line))), h("p", { class: "said" }, s.reasons ?? "")];
}

/** What was said in a step beside its reasons. */
function said(s: ShareStep): HTMLElement[] {
  const room = s.capacity ? saidOf(s.capacity) : [];
  return [
    ...(room.length > 0 ? [h("div", {}, room.join(" · "))] : []), ...(s.agreement ? [agreementText(s.agreement)] : []),
    ...(s.document ? [h("div", {}, t("permit.document", { number: s.document.number, date: s.document.date ? formatDate(s.document.date) : "—" }))] : []),
  ];
}
