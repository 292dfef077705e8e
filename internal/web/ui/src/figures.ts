// Indicators in words: which they are, their values with units, the classes of a map.
import type { Indicator, LayerInfo } from "./api";
import { formatNumber, locale, say, t, word } from "./i18n";
import { noFigure, shades } from "./style";

/** Says which series of an indicator this is: what is counted, whose, how. */
export function seriesKey(i: Indicator): string {
  return [i.id, i.of ?? "", i.operator ?? "", i.basis ?? "", i.stage ?? "", i.phase ?? ""].join("|");
}

/**
 * A series in words, what differs most first. Of its kin, the series of the same
 * indicator, it is told apart: one of all operators says so where others are of one
 * operator, and the basis is said where the same things are counted in several ways.
 */
export function seriesTitle(i: Indicator, layers: Map<string, LayerInfo>, kin: Indicator[]): string {
  const alike = kin.filter((k) => k.of === i.of);
  const byOperator = alike.some((k) => !!k.operator);
  const byBasis = new Set(alike.map((k) => k.basis)).size > 1;
  const parts = [
    i.operator || (byOperator ? t("operator.all") : ""), stageText(i),
    i.basis && byBasis ? word("basis", i.basis) : "", i.of ? say(layers.get(i.of)?.title) || i.of : "",
  ];
  return parts.filter((p) => p !== "").join(" · ") || indicatorTitle(i.id);
}

function stageText(i: Indicator): string {
  if (i.phase) return t("stage.phase", { phase: i.phase });
  return i.stage ? word("stage", i.stage) : "";
}

export function indicatorTitle(id: string): string { return word("indicator", id); }

/** A value with its unit: metres as km from 1 km on, shares as per cent. */
export function valueText(i: Indicator, value: number | null = i.value): string {
  if (value === null) return "—";
  if (i.unit === "m") return Math.abs(value) >= 1000 ? `${formatNumber(value / 1000, 2, true)} km` : `${formatNumber(value, 0)} m`;
  if (i.unit === "m2") return Math.abs(value) >= 1e4 ? `${formatNumber(value / 1e6, 2, true)} km²` : `${formatNumber(value, 0)} m²`;
  if (isShare(i)) return value.toLocaleString(locale(), { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return formatNumber(value, 2, !Number.isInteger(value));
}

/** Ratios of a part to its whole; the tenancy ratio may exceed one and is a plain number. */
function isShare(i: Indicator): boolean {
  return i.id !== "tenancy_ratio" && /(_share|_ratio|_ratio_urban)$/.test(i.id);
}

export interface Classes { bounds: number[]; colourOf: (value: number | null | undefined) => string }

/** Five equal intervals between the least and the greatest value; one where all are the same. */
export function classify(values: number[]): Classes {
  const least = Math.min(...values);
  const greatest = Math.max(...values);
  const steps = greatest > least ? shades.length : 1;
  const width = (greatest - least) / steps;
  const bounds = values.length ? Array.from({ length: steps + 1 }, (_, k) => (k === steps ? greatest : least + k * width)) : [];
  const colourOf = (value: number | null | undefined): string => {
    if (value === null || value === undefined || !values.length) return noFigure;
    const k = steps === 1 ? 2 : Math.min(steps - 1, Math.floor((value - least) / width));
    return shades[k] ?? noFigure;
  };
  return { bounds, colourOf };
}
