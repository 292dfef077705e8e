// The tab that asks whether a mast may stand at a place.
import type { Coordinate } from "ol/coordinate";
import { api, Problem, request, type LayerInfo, type UnitIndicators, type ValueInfo, type Verdict } from "./api";
import { closeCard, showCard } from "./card";
import { fill, h } from "./dom";
import { say, t } from "./i18n";
import type { Key } from "./catalogue";
import type { MapView } from "./map";
import { attempt, clearNotices } from "./notices";
import { drawVerdict } from "./verdict";

/** What a form starts with for each type: an ordinary mast of that type, to be changed. */
const ordinary: Record<string, { structure: string; height: string; half: string; host: string; concealed: boolean }> = {
  A1a: { structure: "rooftop", height: "2.5", half: "0.4", host: "15", concealed: false },
  A1b: { structure: "other", height: "9", half: "", host: "", concealed: true },
  A2a: { structure: "rooftop", height: "12", half: "", host: "15", concealed: false },
  A2b: { structure: "self_supporting", height: "42", half: "", host: "", concealed: false },
};

interface Form { mastType: string; structure: string; height: string; half: string; host: string; concealed: boolean; operator: string; lon: string; lat: string }

export class CheckPanel {
  readonly element = h("form", { class: "check", novalidate: true, onsubmit: (e) => { e.preventDefault(); this.submit(); } });
  private readonly types: ValueInfo[];
  private readonly structures: ValueInfo[];
  private form: Form;
  private operators: string[] | undefined;
  private latest = 0;

  constructor(layers: LayerInfo[], private readonly map: MapView) {
    const fields = layers.flatMap((l) => l.fields);
    this.types = fields.find((f) => f.name === "mast_type")?.values ?? [];
    this.structures = fields.find((f) => f.name === "structure")?.values ?? [];
    this.form = { mastType: "", structure: "", height: "", half: "", host: "", concealed: false, operator: "", lon: "", lat: "" };
    this.choose(this.types.at(-1)?.code ?? "");
  }

  render(): void {
    const f = this.form;
    const onBuilding = f.mastType === "A1a" || f.mastType === "A2a";
    fill(this.element,
      h("p", { class: "intro" }, t("check.intro")),
      this.select("check-type", "check.type", "mastType", this.types.map((v) => [v.code, say(v.title)])),
      this.select("check-structure", "check.structure", "structure", [["", t("check.unstated")], ...this.structures.map((v): [string, string] => [v.code, say(v.title)])]),
      h("div", { class: "pair" }, this.number("check-height", "check.height", "height"), onBuilding ? this.number("check-host", "check.host", "host") : this.concealed()),
      onBuilding && h("div", { class: "pair" }, this.number("check-half", "check.halfWidth", "half"), this.concealed()),
      this.select("check-operator", "check.operator", "operator", [["", t("check.unstated")], ...(this.operators ?? []).map((o): [string, string] => [o, o])]),
      h("div", { class: "pair" }, this.number("check-lon", "check.lon", "lon"), this.number("check-lat", "check.lat", "lat")),
      h("button", { type: "submit", class: "primary", id: "check-submit" }, t("check.submit")));
  }

  /** Asks once for the operators that the figures name. */
  async learnOperators(): Promise<void> {
    if (this.operators) return;
    this.operators = [];
    const { units } = await request<{ units: UnitIndicators[] }>(`${api}/indicators?level=province`);
    const named = units.flatMap((u) => u.indicators).map((i) => i.operator).filter((o): o is string => !!o);
    this.operators = [...new Set(named)].sort();
    this.render();
  }

  /** Checks the mast of the form at a place of the map. */
  checkAt([lon = 0, lat = 0]: Coordinate): void {
    this.form.lon = lon.toFixed(6);
    this.form.lat = lat.toFixed(6);
    this.render();
    this.submit();
  }

  private submit(): void { void attempt(() => this.check()); }

  private async check(): Promise<void> {
    const lon = numberOf(this.form.lon);
    const lat = numberOf(this.form.lat);
    if (lon === null || lat === null || Math.abs(lon) > 180 || Math.abs(lat) > 90) {
      throw new Problem(t("error.title"), t("check.badNumber"));
    }
    const turn = ++this.latest;
    clearNotices();
    showCard({ kind: "verdict", title: () => t("tab.check"), draw: () => [h("p", { class: "loading" }, t("check.running"))], closed: () => this.forget() });
    this.map.pin([lon, lat]);
    let verdict: Verdict;
    try {
      verdict = await request<Verdict>(`${api}/placement-checks`, { body: this.proposal(lon, lat) });
    } catch (cause) {
      if (turn === this.latest) closeCard();
      throw cause;
    }
    if (turn !== this.latest) return; // another place was asked meanwhile
    const type = this.form.mastType;
    showCard({ kind: "verdict", title: () => `${t("tab.check")}: ${type}`, draw: () => drawVerdict(verdict, lon, lat, this.map), closed: () => this.forget() });
    this.map.pin([lon, lat], verdict.verdict);
  }

  private forget(): void {
    this.latest++;
    this.map.pin(null);
    this.map.mark(null);
  }

  private proposal(lon: number, lat: number): Record<string, unknown> {
    const f = this.form;
    const onBuilding = f.mastType === "A1a" || f.mastType === "A2a";
    const all: Record<string, unknown> = {
      lon, lat, mast_type: f.mastType, structure: f.structure || null, height_m: numberOf(f.height), concealed: f.concealed,
      half_width_m: onBuilding ? numberOf(f.half) : null, host_building_height_m: onBuilding ? numberOf(f.host) : null, operator: f.operator || null,
    };
    // What is not stated is left out: the rules that need it then answer "unknown".
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  }

  private choose(type: string): void {
    this.form = { ...this.form, mastType: type, ...(ordinary[type] ?? {}) };
  }

  private select(id: string, label: Key, name: "mastType" | "structure" | "operator", options: [string, string][]): HTMLElement {
    const changed = (event: Event) => {
      const value = (event.target as HTMLSelectElement).value;
      if (name !== "mastType") this.form[name] = value;
      else {
        this.choose(value);
        this.render();
        this.element.querySelector<HTMLElement>(`#${id}`)?.focus();
      }
    };
    return h("div", { class: "field" }, h("label", { for: id }, t(label)),
      h("select", { id, onchange: changed }, ...options.map(([code, text]) => h("option", { value: code, selected: this.form[name] === code }, text))));
  }

  private number(id: string, label: Key, name: "height" | "half" | "host" | "lon" | "lat"): HTMLElement {
    return h("div", { class: "field" }, h("label", { for: id }, t(label)),
      h("input", {
        id, type: "number", step: "any", inputmode: "decimal", autocomplete: "off", value: this.form[name],
        oninput: (e) => { this.form[name] = (e.target as HTMLInputElement).value; },
      }));
  }

  private concealed(): HTMLElement {
    return h("div", { class: "field tick" },
      h("input", { id: "check-concealed", type: "checkbox", checked: this.form.concealed, onchange: (e) => { this.form.concealed = (e.target as HTMLInputElement).checked; } }),
      h("label", { for: "check-concealed" }, t("check.concealed")));
  }
}

/** The number a field holds, or null when it is empty or no number. */
function numberOf(text: string): number | null {
  const value = Number(text);
  return text.trim() === "" || !Number.isFinite(value) ? null : value;
}
