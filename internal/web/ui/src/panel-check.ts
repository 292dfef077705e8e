// The tab that asks whether a mast may stand at a place, or every one of a file.
import type { Coordinate } from "ol/coordinate";
import { answerTo, api, request, type Description, type GeoFeature, type UnitIndicators, type ValueInfo, type Verdict } from "./api";
import { FileCheck } from "./check-file";
import { closeCard, showCard } from "./card";
import { CheckSteps, type Asked, type CheckedMast } from "./check-steps";
import { fill, h } from "./dom";
import { say, t } from "./i18n";
import type { Key } from "./catalogue";
import type { MapView, Picked } from "./map";
import { attempt, clearNotices } from "./notices";
import { PlaceField, type Place } from "./place";
import { session } from "./session";
import { drawVerdict } from "./verdict";

/** What a form starts with for each type: an ordinary mast of that type, to be changed. */
const ordinary: Record<string, { structure: string; height: string; half: string; host: string; concealed: boolean }> = {
  A1a: { structure: "rooftop", height: "2.5", half: "0.4", host: "15", concealed: false },
  A1b: { structure: "other", height: "9", half: "", host: "", concealed: true },
  A2a: { structure: "rooftop", height: "12", half: "", host: "15", concealed: false },
  A2b: { structure: "self_supporting", height: "42", half: "", host: "", concealed: false },
};

interface Form { mastType: string; structure: string; height: string; half: string; host: string; concealed: boolean; operator: string }

/** The button that checks a mast of the register, on its card. */
export function checkOf({ feature, layer }: Picked, check: (id: number) => void): HTMLElement | null {
  const id = Number(feature.getId());
  if (layer !== "bts_sites" || !Number.isInteger(id)) return null;
  return h("p", {}, h("button", { type: "button", class: "link", id: "feature-check", onclick: () => check(id) }, t("check.this")));
}

export class CheckPanel {
  readonly element = h("div", { class: "check" });
  private readonly form = h("form", { novalidate: true, onsubmit: (e) => { e.preventDefault(); this.submit(); } });
  private readonly place: PlaceField;
  private readonly files: FileCheck;
  private readonly types: ValueInfo[];
  private readonly structures: ValueInfo[];
  private mast: Form;
  /** The mast of the register that is asked about; none: one that is not there yet. */
  private about: Asked | undefined;
  private operators: string[] | undefined;
  private latest = 0;

  /** filed is told of a proposal that has been filed here. */
  constructor(private readonly description: Description, private readonly map: MapView, private readonly filed: (id: number) => void) {
    const fields = description.layers.flatMap((l) => l.fields);
    this.types = fields.find((f) => f.name === "mast_type")?.values ?? [];
    this.structures = fields.find((f) => f.name === "structure")?.values ?? [];
    this.place = new PlaceField(description);
    this.files = new FileCheck(description, map, filed);
    this.mast = { mastType: "", structure: "", height: "", half: "", host: "", concealed: false, operator: session().organisation ?? "" };
    this.choose(this.types.at(-1)?.code ?? "");
    this.element.append(this.form, this.files.element);
  }

  render(): void {
    this.files.render();
    this.renderForm();
  }

  private renderForm(): void {
    this.place.render();
    const onBuilding = this.mast.mastType === "A1a" || this.mast.mastType === "A2a";
    fill(this.form,
      h("p", { class: "intro" }, t("check.intro")),
      this.about && h("p", { class: "note", id: "check-about" }, t("check.about", { code: this.about.code }), " ",
        h("button", { type: "button", class: "link", id: "check-another", onclick: () => this.forgetMast() }, t("check.another"))),
      this.select("check-type", "check.type", "mastType", this.types.map((v) => [v.code, say(v.title)])),
      this.select("check-structure", "check.structure", "structure", [["", t("check.unstated")], ...this.structures.map((v): [string, string] => [v.code, say(v.title)])]),
      h("div", { class: "pair" }, this.number("check-height", "check.height", "height"), this.number("check-half", "check.halfWidth", "half")),
      h("div", { class: "pair" }, onBuilding && this.number("check-host", "check.host", "host"), this.concealed()),
      this.select("check-operator", "check.operator", "operator", this.operatorCodes()),
      this.place.element,
      h("button", { type: "submit", class: "primary", id: "check-submit" }, t("check.submit")));
  }

  /** Asks once for the operators that the figures name; the form may be in use by the time they come. */
  async learnOperators(): Promise<void> {
    if (this.operators) return;
    this.operators = [];
    const { units } = await request<{ units: UnitIndicators[] }>(`${api}/indicators?level=province`);
    const named = units.flatMap((u) => u.indicators).map((i) => i.operator).filter((o): o is string => !!o);
    this.operators = [...new Set(named)].sort();
    const select = this.form.querySelector("#check-operator");
    if (select) fill(select, ...this.options("operator", this.operatorCodes()));
  }

  /** Checks the mast of the form at a place of the map, to a decimetre unless more is asked. */
  checkAt([lon = 0, lat = 0]: Coordinate, decimals = 6): void {
    void attempt(() => this.check(this.place.take(lon, lat, decimals), false));
  }

  /** Checks a mast of the register where it stands, by what the register has of it. */
  checkMast(id: number): void {
    void attempt(async () => {
      const answer = await answerTo(`${api}/collections/bts_sites/items/${id}`);
      const row = (await answer.json()) as GeoFeature;
      const value = (name: string) => { const found = row.properties[name]; return found === null || found === undefined ? "" : String(found); };
      this.about = { id, code: value("code"), draft: value("status") === "draft", tag: answer.headers.get("ETag") ?? "" };
      this.mast = {
        mastType: value("mast_type"), structure: value("structure"), height: value("height_m"), half: value("half_width_m"), host: value("host_building_height_m"),
        concealed: row.properties["concealed"] === true, operator: value("owner_organisation"),
      };
      this.renderForm();
      const [lon, lat] = (row.geometry as { coordinates: [number, number] }).coordinates;
      await this.check(this.place.take(lon, lat, 7), true);
    });
  }

  private forgetMast(): void {
    this.about = undefined;
    this.renderForm();
    this.element.querySelector<HTMLElement>("#check-type")?.focus();
  }

  private submit(): void { void attempt(() => this.check(this.place.value(), true)); }

  /** The map moves there where the place was typed: who has clicked sees it. */
  private async check(place: Place, moves: boolean): Promise<void> {
    const turn = ++this.latest;
    clearNotices();
    showCard({ kind: "verdict", title: () => t("tab.check"), draw: () => [h("p", { class: "loading" }, t("check.running"))], closed: () => this.forget() });
    this.map.drawing.clear();
    if ("lon" in place) this.map.pin([place.lon, place.lat]);
    const about = this.about;
    const body: Record<string, unknown> = { ...place, ...this.dimensions(), ...(about && { feature: about.id }) };
    let verdict: Verdict;
    try {
      verdict = await request<Verdict>(`${api}/placement-checks`, { body });
    } catch (cause) {
      if (turn === this.latest) closeCard();
      throw cause;
    }
    if (turn !== this.latest) return; // another place was asked meanwhile
    const [lon, lat] = verdict.point ?? [0, 0];
    const mast: CheckedMast = { body, verdict, lon, lat, ...(about && { about }) };
    const steps = new CheckSteps(this.description, this.map, mast, (at) => this.checkAt(at, 7), this.filed);
    showCard({ kind: "verdict", title: () => `${t("tab.check")}: ${String(body["mast_type"])}`, draw: () => [...drawVerdict(verdict, this.map), ...steps.draw()], closed: () => this.forget() });
    this.map.pin([lon, lat], verdict.verdict);
    if (moves) this.map.showAround([lon, lat], Math.max(300, ...verdict.findings.map((f) => f.required_m ?? 0)));
    await this.map.drawing.show(verdict);
  }

  private forget(): void {
    this.latest++;
    this.map.clear();
  }

  private dimensions(): Record<string, unknown> {
    const f = this.mast;
    const onBuilding = f.mastType === "A1a" || f.mastType === "A2a";
    const all: Record<string, unknown> = {
      mast_type: f.mastType, structure: f.structure || null, height_m: numberOf(f.height), concealed: f.concealed,
      half_width_m: numberOf(f.half), host_building_height_m: onBuilding ? numberOf(f.host) : null, operator: f.operator || null,
    };
    // What is not stated is left out: the rules that need it then answer "unknown".
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  }

  /** Those that the figures name, and one's own. */
  private operatorCodes(): [string, string][] {
    const codes = [...new Set([...(this.operators ?? []), ...(this.mast.operator ? [this.mast.operator] : [])])].sort();
    return [["", t("check.unstated")], ...codes.map((o): [string, string] => [o, o])];
  }

  private choose(type: string): void {
    this.mast = { ...this.mast, mastType: type, ...(ordinary[type] ?? {}) };
  }

  private select(id: string, label: Key, name: "mastType" | "structure" | "operator", options: [string, string][]): HTMLElement {
    const changed = (event: Event) => {
      const value = (event.target as HTMLSelectElement).value;
      if (name !== "mastType") this.mast[name] = value;
      else {
        this.choose(value);
        this.renderForm();
        this.element.querySelector<HTMLElement>(`#${id}`)?.focus();
      }
    };
    return h("div", { class: "field" }, h("label", { for: id }, t(label)),
      h("select", { id, onchange: changed }, ...this.options(name, options)));
  }

  private options(name: "mastType" | "structure" | "operator", options: [string, string][]): HTMLElement[] {
    return options.map(([code, text]) => h("option", { value: code, selected: this.mast[name] === code }, text));
  }

  private number(id: string, label: Key, name: "height" | "half" | "host"): HTMLElement {
    return h("div", { class: "field" }, h("label", { for: id }, t(label)),
      h("input", {
        id, type: "number", step: "any", min: 0, inputmode: "decimal", autocomplete: "off", value: this.mast[name],
        oninput: (e) => { this.mast[name] = (e.target as HTMLInputElement).value; },
      }));
  }

  private concealed(): HTMLElement {
    return h("div", { class: "field tick" },
      h("input", { id: "check-concealed", type: "checkbox", checked: this.mast.concealed, onchange: (e) => { this.mast.concealed = (e.target as HTMLInputElement).checked; } }),
      h("label", { for: "check-concealed" }, t("check.concealed")));
  }
}

/** The number a field holds, or null when it is empty or no number. */
function numberOf(text: string): number | null {
  const value = Number(text);
  return text.trim() === "" || !Number.isFinite(value) ? null : value;
}
