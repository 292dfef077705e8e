// The card of an administrative unit: every figure with how it was counted.
import { getCenter } from "ol/extent";
import type Feature from "ol/Feature";
import { api, request, type Indicator, type LayerInfo, type UnitIndicators } from "./api";
import { showCard } from "./card";
import { h } from "./dom";
import { indicatorTitle, seriesTitle, valueText } from "./figures";
import { formatDate, formatNumber, say, t, word } from "./i18n";
import type { MapView } from "./map";

/** Asks for a unit's figures, fresh, and shows them. */
export async function showUnit(level: string, code: string, layers: Map<string, LayerInfo>, map: MapView, feature: Feature | null): Promise<void> {
  const answer = await request<UnitIndicators>(`${api}/${level}s/${encodeURIComponent(code)}/indicators`);
  map.mark(...(feature ? [feature] : []));
  showCard({
    kind: "unit",
    title: () => answer.unit.name,
    draw: () => draw(answer, layers),
    closed: () => map.mark(),
  });
  const extent = feature?.getGeometry()?.getExtent();
  if (extent) map.reveal(getCenter(extent));
}

function draw({ unit, date, indicators }: UnitIndicators, layers: Map<string, LayerInfo>): HTMLElement[] {
  const groups = new Map<string, Indicator[]>();
  for (const i of indicators) groups.set(i.id, [...(groups.get(i.id) ?? []), i]);
  return [
    h("p", { class: "kind", "data-unit": unit.code }, `${unit.code} · ${t("app.date")} ${formatDate(date)}`),
    ...[...groups].map(([id, members]) => group(id, members, layers)),
  ];
}

function group(id: string, members: Indicator[], layers: Map<string, LayerInfo>): HTMLElement {
  return h("section", { class: "figures", "data-indicator": id },
    h("h3", {}, indicatorTitle(id)),
    ...(id === "mean_service_radius_m" ? [h("p", { class: "note" }, t("indicators.average"))] : []),
    h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {},
        h("th", { scope: "col" }, t("indicators.series")), h("th", { scope: "col", class: "number" }, t("indicators.value")),
        h("th", { scope: "col", class: "number" }, t("indicators.count")))),
      h("tbody", {}, ...members.map((i) => row(i, members, layers))))),
    h("dl", {}, ...explanations(members)));
}

function row(i: Indicator, members: Indicator[], layers: Map<string, LayerInfo>): HTMLElement {
  const reason = i.value === null ? say(i.reason) : "";
  return h("tr", {},
    h("th", { scope: "row" }, seriesTitle(i, layers, members)),
    h("td", { class: "number" }, valueText(i), reason && h("small", {}, reason)),
    h("td", { class: "number" }, fraction(i), i.unknown ? h("small", {}, t("indicators.unknown", { n: i.unknown })) : null));
}

function fraction(i: Indicator): string {
  const text = (x: number | null | undefined) => (x === null || x === undefined ? "—" : formatNumber(x, Math.abs(x) < 1e5 ? 2 : 0));
  return i.numerator === undefined && i.denominator === undefined ? "—" : `${text(i.numerator)} ÷ ${text(i.denominator)}`;
}

/** Definition, basis of the area, method and source: each once, however many rows share it. */
function explanations(members: Indicator[]): HTMLElement[] {
  const once = (texts: string[]) => [...new Set(texts.filter((x) => x !== ""))].join("; ");
  const lines: [string, string][] = [
    [t("indicators.definition"), once(members.map((i) => say(i.definition)))],
    [t("indicators.area"), once(members.map((i) => (i.area_basis ? word("area", i.area_basis) : "")))],
    [t("indicators.method"), once(members.map((i) => i.method ?? ""))],
    [t("indicators.note"), once(members.map((i) => say(i.note)))],
    [t("indicators.source"), once(members.map((i) => say(i.source)))],
  ];
  return lines.filter(([, text]) => text !== "").flatMap(([title, text]) => [h("dt", {}, title), h("dd", {}, text)]);
}
