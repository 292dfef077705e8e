// The card of a feature: its attributes with titles and units.
import { api, type FieldInfo, type LayerInfo } from "./api";
import { closeCard, showCard } from "./card";
import { h } from "./dom";
import { formatDate, formatNumber, language, locale, say, t } from "./i18n";
import type { MapView, Picked } from "./map";
import { filedLayers } from "./permits";

/** Shows the features at a place, one at a time, or that there is none; more is what else can be done with one. */
export function showFeatures(picked: Picked[], layers: Map<string, LayerInfo>, map: MapView, more: (one: Picked) => (HTMLElement | null)[]): void {
  if (picked.length === 0) {
    closeCard();
    return;
  }
  let at = 0;
  const current = () => picked[at] as Picked;
  const go = (step: number) => {
    at = (at + step + picked.length) % picked.length;
    draw();
  };
  const draw = () => {
    map.mark(current().feature);
    showCard({
      kind: "feature",
      title: () => title(current(), layers),
      draw: () => [pager(at, picked.length, go), ...attributes(current(), layers), ...more(current())],
      closed: () => map.mark(),
    });
  };
  draw();
}

function title({ feature, layer }: Picked, layers: Map<string, LayerInfo>): string {
  const name: unknown = feature.get("name");
  return typeof name === "string" && name ? name : String(feature.get("code") ?? say(layers.get(layer)?.title));
}

function pager(at: number, of: number, go: (step: number) => void): HTMLElement | null {
  if (of < 2) return null;
  return h("div", { class: "pager" },
    h("button", { type: "button", "aria-label": t("feature.previous"), onclick: () => go(-1) }, "‹"),
    h("span", {}, t("feature.of", { n: at + 1, m: of })),
    h("button", { type: "button", id: "feature-next", "aria-label": t("feature.next"), onclick: () => go(1) }, "›"));
}

function attributes({ feature, layer }: Picked, layers: Map<string, LayerInfo>): HTMLElement[] {
  const info = layers.get(layer);
  if (!info) return [];
  const rows = info.fields
    .filter((f) => f.name !== "illustrative")
    .map((f) => ({ f, value: valueText(f, feature.get(f.name)) }))
    .filter(({ value }) => value !== "")
    .map(({ f, value }) => h("tr", { "data-field": f.name }, h("th", { scope: "row" }, say(f.title)), h("td", {}, value)));
  return [
    h("p", { class: "kind" }, say(info.title)),
    ...(feature.get("illustrative") === true ? [h("p", { class: "note illustrative" }, t("feature.illustrative"))] : []),
    h("table", { class: "attributes" }, h("tbody", {}, ...rows,
      h("tr", { "data-field": "id" }, h("th", { scope: "row" }, t("feature.identity")), h("td", {}, String(feature.getId() ?? ""))))),
    ...why(layer, feature.getId()),
  ];
}

/** Where a layer is one that proposals are about, the way to what was decided about the feature. */
function why(layer: string, id: string | number | undefined): HTMLElement[] {
  if (!filedLayers.includes(layer) || id === undefined) return [];
  const of = new URLSearchParams({ collection: layer, feature: String(id), f: "html", lang: language() }).toString();
  return [h("p", {}, h("a", { id: "feature-decisions", href: `${api}/decisions?${of}`, target: "_blank", rel: "noopener" }, t("decided.why")))];
}

/** A value as people write it; "" for none. */
function valueText(field: FieldInfo, value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  const listed = field.values?.find((v) => v.code === String(value));
  if (listed) return say(listed.title);
  if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "number") return numberText(field, value);
  if (field.kind === "date") return formatDate(String(value));
  if (field.kind === "timestamp") {
    return new Date(String(value)).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
  }
  return String(value);
}

const unitSymbols: Record<string, string> = { m: "m", m2: "m²" };

/** The unit is written beside the value unless the title already holds it; a year is no quantity. */
function numberText(field: FieldInfo, value: number): string {
  if (field.name.endsWith("_year")) return String(value);
  const unit = unitSymbols[field.unit ?? ""];
  return formatNumber(value, 2) + (unit && !say(field.title).includes(`(${unit})`) ? ` ${unit}` : "");
}
