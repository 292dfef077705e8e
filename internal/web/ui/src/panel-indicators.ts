// The tab that colours the units by an indicator and lists them.
import type { FeatureLike } from "ol/Feature";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";
import { allFeatures, api, request, type Indicator, type LayerInfo, type UnitIndicators } from "./api";
import { fill, h, swatch } from "./dom";
import { classify, indicatorTitle, seriesKey, seriesTitle, valueText, type Classes } from "./figures";
import { t } from "./i18n";
import { readFeatures } from "./layers";
import type { MapView } from "./map";
import { attempt } from "./notices";
import { noFigure } from "./style";
import { showUnit } from "./unit-card";

const levels = ["province", "district", "commune"] as const;
type Level = (typeof levels)[number];

export class IndicatorsPanel {
  readonly element = h("div", { class: "indicators" });
  private readonly source = new VectorSource();
  private readonly layer: VectorLayer;
  private level: Level = "district";
  private units: UnitIndicators[] = [];
  private series = "";
  private values = new Map<string, Indicator>();
  private classes: Classes = classify([]);
  private loading: AbortController | undefined;
  private loaded: Level | null = null;
  private overlay = false;

  constructor(private readonly layers: Map<string, LayerInfo>, private readonly map: MapView, private readonly overlaid: (shown: boolean) => void) {
    this.layer = new VectorLayer({ source: this.source, visible: false, zIndex: 50, style: (f, r) => this.styleOf(f, r) });
    this.layer.set("name", "indicators");
    map.add(this.layer);
  }

  /** Shows or hides the coloured units; showing asks for the figures again, so that edits show. */
  show(on: boolean): void {
    this.layer.setVisible(on);
    this.overlaid(!on || this.overlay);
    if (on) void attempt(() => this.load());
  }

  render(): void {
    fill(this.element, h("p", { class: "intro" }, t("indicators.intro")), this.levelSelect(), ...this.body());
  }

  /** Opens the figures of the unit that a feature of the coloured layer is. */
  open(code: string): void { void attempt(() => showUnit(this.level, code, this.layers, this.map, this.featureOf(code))); }

  private async load(): Promise<void> {
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    if (this.loaded !== this.level) this.empty();
    try {
      const [figures, shapes] = await Promise.all([
        request<{ units: UnitIndicators[] }>(`${api}/indicators?level=${this.level}`, { signal: loading.signal }),
        allFeatures(`${this.level}s`, loading.signal),
      ]);
      this.units = figures.units;
      this.loaded = this.level;
      this.source.clear(true);
      this.source.addFeatures(readFeatures(shapes.features));
      this.element.dataset["state"] = "ready";
      this.choose(this.all().has(this.series) ? this.series : (this.all().keys().next().value ?? ""));
    } catch (cause) {
      if (loading.signal.aborted) return; // another level was chosen meanwhile
      this.element.dataset["state"] = "failed";
      this.loaded = null;
      this.render();
      throw cause;
    }
  }

  /** Shows that figures are on their way, instead of those of another level. */
  private empty(): void {
    this.element.dataset["state"] = "loading";
    this.units = [];
    this.source.clear();
    this.render();
  }

  /** The series that the figures hold, in the order in which they come. */
  private all(): Map<string, Indicator> {
    const found = new Map<string, Indicator>();
    for (const unit of this.units) for (const i of unit.indicators) if (!found.has(seriesKey(i))) found.set(seriesKey(i), i);
    return found;
  }

  private choose(series: string): void {
    this.series = series;
    this.values = new Map();
    for (const { unit, indicators } of this.units) {
      const match = indicators.find((i) => seriesKey(i) === series);
      if (match) this.values.set(unit.code, match);
    }
    this.classes = classify([...this.values.values()].map((i) => i.value).filter((x) => x !== null));
    this.element.dataset["series"] = series;
    this.layer.changed();
    this.render();
  }

  private levelSelect(): HTMLElement {
    const changed = (event: Event) => {
      this.level = (event.target as HTMLSelectElement).value as Level;
      this.show(true);
    };
    return h("div", { class: "field" }, h("label", { for: "indicator-level" }, t("indicators.level")),
      h("select", { id: "indicator-level", onchange: changed },
        ...levels.map((l) => h("option", { value: l, selected: l === this.level }, t(`level.${l}`)))));
  }

  private body(): HTMLElement[] {
    const state = this.element.dataset["state"];
    if (state === "loading") return [h("p", { class: "loading" }, t("app.loading"))];
    if (state === "failed") return [h("button", { type: "button", class: "primary", onclick: () => this.show(true) }, t("app.retry"))];
    const chosen = this.all().get(this.series);
    if (!chosen) return [h("p", { class: "note" }, t("indicators.none"))];
    return [
      ...this.seriesSelects(chosen),
      ...(chosen.id === "mean_service_radius_m" ? [h("p", { class: "note" }, t("indicators.average"))] : []),
      this.legend(chosen), this.overlaySwitch(), h("h2", {}, t("indicators.units")), this.list(),
    ];
  }

  /** Two selects: the indicator, and which of its series. */
  private seriesSelects(chosen: Indicator): HTMLElement[] {
    const all = [...this.all()];
    const ids = [...new Set(all.map(([, i]) => i.id))];
    const select = (id: string, label: string, options: [string, string][], value: string) => {
      const changed = (e: Event) => {
        const picked = (e.target as HTMLSelectElement).value;
        this.choose(id === "indicator-series" ? picked : (all.find(([, i]) => i.id === picked)?.[0] ?? ""));
        this.element.querySelector<HTMLElement>(`#${id}`)?.focus();
      };
      return h("div", { class: "field" }, h("label", { for: id }, label),
        h("select", { id, onchange: changed }, ...options.map(([code, text]) => h("option", { value: code, selected: code === value }, text))));
    };
    const members = all.filter(([, i]) => i.id === chosen.id);
    const kin = members.map(([, i]) => i);
    const series = members.map(([key, i]): [string, string] => [key, seriesTitle(i, this.layers, kin)]);
    return [
      select("indicator-id", t("indicators.id"), ids.map((id) => [id, indicatorTitle(id)]), chosen.id),
      select("indicator-series", t("indicators.series"), series, this.series),
    ];
  }

  private legend(chosen: Indicator): HTMLElement {
    const { bounds, colourOf } = this.classes;
    const rows = bounds.slice(0, -1).map((from, k) => {
      const to = bounds[k + 1] ?? from;
      const text = from === to ? valueText(chosen, from) : `${valueText(chosen, from)} – ${valueText(chosen, to)}`;
      return h("li", {}, swatch(colourOf((from + to) / 2), "MultiPolygon"), text);
    });
    if (bounds.length === 2 && bounds[0] === bounds[1]) rows.splice(1);
    return h("ul", { class: "legend ramp" }, ...rows, h("li", {}, swatch(noFigure, "MultiPolygon"), t("indicators.nodata")));
  }

  /** The other layers hide the colours, so they are shown above them only on demand. */
  private overlaySwitch(): HTMLElement {
    const changed = (event: Event) => {
      this.overlay = (event.target as HTMLInputElement).checked;
      this.overlaid(this.overlay);
    };
    return h("div", { class: "field tick" },
      h("input", { type: "checkbox", id: "indicator-overlay", checked: this.overlay, onchange: changed }),
      h("label", { for: "indicator-overlay" }, t("indicators.overlay")));
  }

  private list(): HTMLElement {
    const rows = this.units.map(({ unit }) => ({ unit, figure: this.values.get(unit.code) }))
      .sort((a, b) => (b.figure?.value ?? -Infinity) - (a.figure?.value ?? -Infinity));
    return h("ul", { class: "units" }, ...rows.map(({ unit, figure }) =>
      h("li", {}, h("button", { type: "button", "data-code": unit.code, onclick: () => this.open(unit.code) },
        swatch(this.classes.colourOf(figure?.value), "MultiPolygon"), h("span", { class: "name" }, unit.name),
        h("span", { class: "value" }, figure ? valueText(figure) : "—")))));
  }

  private featureOf(code: string) { return this.source.getFeatures().find((f) => f.get("code") === code) ?? null; }

  private styleOf(feature: FeatureLike, resolution: number): Style {
    const figure = this.values.get(String(feature.get("code")));
    const name = this.level === "commune" ? (resolution < 90 ? String(feature.get("name")) : "") : String(feature.get("name"));
    return new Style({
      fill: new Fill({ color: this.classes.colourOf(figure?.value) }),
      stroke: new Stroke({ color: "#ffffff", width: this.level === "commune" ? 0.8 : 1.6 }),
      text: new Text({
        text: figure && resolution < 700 ? `${name}\n${valueText(figure)}` : "",
        font: '600 12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif',
        fill: new Fill({ color: "#1f2d33" }), stroke: new Stroke({ color: "rgba(255, 255, 255, 0.9)", width: 3 }),
      }),
    });
  }
}
