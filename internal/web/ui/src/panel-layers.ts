// The tab with every layer, grouped, each with its switch, count and legend.
import type { Description } from "./api";
import { fill, h, swatch } from "./dom";
import { downloadMenu } from "./download-menu";
import { formatNumber, say, t } from "./i18n";
import type { MapLayer } from "./layers";
import { attempt } from "./notices";

export class LayersPanel {
  readonly element = h("div", { class: "layers" });
  private readonly rows = new Map<string, HTMLElement>();

  constructor(private readonly description: Description, private readonly layers: Map<string, MapLayer>) {}

  /** Draws the whole list, in the language of now. */
  render(): void {
    this.rows.clear();
    fill(this.element, h("p", { class: "intro" }, t("layers.planned")), ...this.description.groups.map((group) => {
      const members = [...this.layers.values()].filter((l) => l.info.group === group.id);
      return h("section", {}, h("h2", {}, say(group.title)),
        h("ul", {}, ...members.map((l) => this.row(l))));
    }));
  }

  /** Draws one layer's state again; the switch keeps the keyboard's focus. */
  update(layer: MapLayer): void {
    const row = this.rows.get(layer.info.name);
    if (!row) return;
    row.dataset["state"] = layer.state;
    row.dataset["drawn"] = String(layer.drawn);
    row.dataset["count"] = String(layer.matched ?? "");
    const box = row.querySelector("input");
    if (box) box.checked = layer.on;
    const number = row.querySelector(".count");
    if (number) fill(number, countText(layer));
    const legend = row.querySelector(".legend");
    if (legend) fill(legend, ...legendLines(layer));
  }

  private row(layer: MapLayer): HTMLElement {
    const { info } = layer;
    const id = `layer-${info.name}`;
    const row = h("li", { "data-layer": info.name },
      h("div", { class: "switch" },
        h("input", { type: "checkbox", id, onchange: (e) => this.toggle(layer, e) }),
        h("label", { for: id, title: say(info.doc) }, swatch(info.colour, info.geometry), h("span", {}, say(info.title))),
        h("span", { class: "count" }), downloadMenu(info.name)),
      h("ul", { class: "legend" }));
    this.rows.set(info.name, row);
    this.update(layer);
    return row;
  }

  private toggle(layer: MapLayer, event: Event): void {
    const on = (event.target as HTMLInputElement).checked;
    void attempt(() => layer.switch(on));
  }
}

function countText(layer: MapLayer): string {
  if (layer.state === "loading") return "…";
  if (layer.state === "failed") return t("layers.failed");
  if (layer.matched === undefined) return "";
  if (layer.state === "drawn" && layer.drawn < layer.matched) return t("layers.partial", { n: layer.drawn, m: layer.matched });
  return formatNumber(layer.matched, 0);
}

function legendLines(layer: MapLayer): HTMLElement[] {
  if (layer.state !== "drawn") return [];
  return layer.legend().map((entry) => h("li", {}, swatch(entry.colour, layer.info.geometry), entry.label()));
}
