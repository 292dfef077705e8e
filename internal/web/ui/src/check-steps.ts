// What may follow a verdict: the nearest place that is permitted, the verdict on record, the proposal.
import type { Coordinate } from "ol/coordinate";
import { answerTo, api, request, type Description, type Nearest, type Verdict } from "./api";
import { fill, h } from "./dom";
import { field, form } from "./forms";
import { formatNumber, say, t, word } from "./i18n";
import type { MapView } from "./map";
import { paperLinks } from "./papers";
import { files, fileDrafts, mastDraft } from "./permit-filing";
import { session } from "./session";

/** A mast of the register that is asked about, as it was read. */
export interface Asked { id: number; code: string; draft: boolean; tag: string }

/** A mast that was checked: the question as it was asked, and the answer. */
export interface CheckedMast { body: Record<string, unknown>; verdict: Verdict; lon: number; lat: number; about?: Asked }

/** A recorded verdict, as far as the page reads it. */
interface Recorded { body: { number: string; code: string } }

/** How far the nearest place is looked for, metres. */
const reachesM = [500, 1000, 2000, 5000];

/** The steps after one verdict; what they have led to stays when the card is drawn again. */
export class CheckSteps {
  private nearest: Nearest | undefined;
  private recorded: Recorded | undefined;

  constructor(
    private readonly description: Description, private readonly map: MapView, private readonly mast: CheckedMast,
    private readonly checkAt: (at: Coordinate) => void, private readonly filed: (id: number) => void,
  ) {}

  draw(): HTMLElement[] {
    const nearest = h("section", { id: "nearest" });
    this.drawNearest(nearest);
    if (!session().signed_in) return [nearest, h("p", { class: "note" }, t("check.signIn"))];
    const record = h("section", { id: "record" });
    this.drawRecord(record);
    const { about } = this.mast;
    if (about) return [nearest, ...(about.draft ? [this.moving(about)] : []), record];
    return [nearest, record, ...(files("bts_sites") ? [this.filing()] : [])];
  }

  private drawNearest(place: HTMLElement): void {
    const reach = h("select", { name: "within" }, ...reachesM.map((m) => h("option", { value: m, selected: m === 2000 }, `${formatNumber(m / 1000, 1)} km`)));
    const look = form({
      class: "plain", submit: t("nearest.find"),
      act: async ({ within }) => {
        const answer = await request<Verdict>(`${api}/placement-checks?nearest_within_m=${within}`, { body: this.mast.body });
        this.nearest = answer.nearest;
        this.drawNearest(place);
        place.querySelector<HTMLElement>("h3")?.focus();
      },
    }, field("nearest-within", t("nearest.within"), reach));
    fill(place, h("h3", { tabindex: -1 }, t("nearest.title")), ...(this.nearest ? this.found(this.nearest) : []), look);
  }

  private found(n: Nearest): HTMLElement[] {
    const said = h("p", { class: "note", role: "status", id: "nearest-found" }, say(n.message));
    const { lon, lat, verdict, distance_m: distance, bearing_deg: bearing } = n;
    if (lon === null || lat === null) return [said];
    this.map.pins([{ at: [this.mast.lon, this.mast.lat], verdict: this.mast.verdict.verdict }, { at: [lon, lat], verdict: verdict ?? "" }]);
    this.map.fit(this.map.pinned());
    const facts = [word("verdict", verdict ?? ""), `${formatNumber(distance ?? 0, 0)} m`, t("nearest.bearing", { n: bearing ?? 0 })];
    return [said, h("p", {}, facts.join(" · "), " ",
      h("button", { type: "button", class: "link", id: "nearest-check", onclick: () => this.checkAt([lon, lat]) }, t("nearest.check")))];
  }

  private drawRecord(place: HTMLElement): void {
    if (this.recorded) {
      const { number, code } = this.recorded.body;
      const address = `${api}/verdicts/${number}/verification?${new URLSearchParams({ code }).toString()}`;
      fill(place, h("h3", { tabindex: -1 }, t("record.title")), h("div", { class: "note", role: "status" },
        h("p", {}, t("record.done")),
        h("dl", { class: "facts" }, h("dt", {}, t("record.number")), h("dd", { id: "recorded" }, number), h("dt", {}, t("record.code")), h("dd", {}, code)),
        h("a", { href: address, target: "_blank", rel: "noopener", id: "record-verify" }, t("record.verify")), " · ", paperLinks("verdicts", number)));
      return;
    }
    const keep = form({
      class: "plain", submit: t("record.do"),
      act: async () => {
        this.recorded = await request<Recorded>(`${api}/verdicts`, { body: { placement_check: this.mast.body } });
        this.drawRecord(place);
        place.querySelector<HTMLElement>("h3")?.focus();
      },
    });
    fill(place, h("h3", {}, t("record.title")), h("p", { class: "intro" }, t("record.intro")), keep);
  }

  /** Whether it may be moved the server says: a draft in a proposal may not. */
  private moving(about: Asked): HTMLElement {
    const place = h("section", { id: "move" });
    const move = form({
      class: "plain", submit: t("check.move"),
      act: async () => {
        const geometry = { type: "Point", coordinates: [this.mast.lon, this.mast.lat] };
        const answer = await answerTo(`${api}/collections/bts_sites/items/${about.id}`, { method: "PATCH", body: { geometry }, headers: { "Content-Type": "application/merge-patch+json", "If-Match": about.tag } });
        about.tag = answer.headers.get("ETag") ?? "";
        fill(place, h("p", { class: "note", role: "status", id: "moved" }, t("check.moved", { code: about.code })));
      },
    });
    place.append(move);
    return place;
  }

  private filing(): HTMLElement {
    const made = new Map<string, number>();
    const about = form({
      id: "file-mast", submit: t("file.do"),
      act: async ({ title = "", code = "" }) => {
        const draft = mastDraft(code, this.mast.body, this.mast.verdict, this.description.reference_date);
        this.filed(await fileDrafts(title, "bts_sites", [draft], made));
      },
    }, field("file-title", t("file.title"), h("input", { name: "title", required: true, maxlength: 300, autocomplete: "off" })),
    field("file-code", t("file.code"), h("input", { name: "code", required: true, maxlength: 100, autocomplete: "off", spellcheck: "false" }), h("small", { class: "help" }, t("file.code.help"))));
    return h("details", { class: "filing" }, h("summary", {}, t("file.mast")), h("p", { class: "intro" }, t("file.intro")), about);
  }
}
