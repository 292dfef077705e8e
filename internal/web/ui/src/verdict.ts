// A verdict as people read it: the answer, then every rule with measure and clause.
import { unitName, type Alternative, type Evidence, type Finding, type Verdict } from "./api";
import { h } from "./dom";
import { drawable } from "./drawing";
import { formatDate, formatNumber, say, t, word } from "./i18n";
import { fetchFeature } from "./layers";
import type { MapView } from "./map";
import { attempt, notify } from "./notices";

/** What decides comes first, then what is wrong, then the rest. */
function rank(f: Finding): number {
  const order = ["fail", "unknown", "condition", "pass"];
  return (f.decides ? 0 : 10) + (f.notice ? 5 : order.indexOf(f.outcome));
}

/** The answer in one word. */
export function verdictBadge(verdict: string): HTMLElement {
  return h("span", { class: `badge ${verdict || "undetermined"}`, "data-verdict": verdict }, verdict ? word("verdict", verdict) : t("permit.unchecked"));
}

export function drawVerdict(v: Verdict, map: MapView): (HTMLElement | null)[] {
  return [
    h("p", { class: `verdict ${v.verdict}`, id: "verdict", "data-verdict": v.verdict }, word("verdict", v.verdict)),
    v.provisional ? h("p", { class: "note illustrative" }, t("check.provisional")) : null,
    facts(v, map),
    findingsList(v, map),
    alternatives(v.alternatives ?? [], map),
  ];
}

/** The findings; the one that is pointed at or has the focus is in the light on the map. In short those that are met are folded. */
export function findingsList(v: Verdict, map: MapView, short = false): HTMLElement {
  const findings = [...v.findings].sort((a, b) => rank(a) - rank(b));
  const list = (some: Finding[]) => h("ul", { class: "findings" }, ...some.map((f) => findingItem(v, f, map)));
  if (!short) return list(findings);
  const met = findings.filter((f) => f.outcome === "pass" && !f.decides);
  return h("div", {}, list(findings.filter((f) => !met.includes(f))),
    met.length > 0 && h("details", { class: "met" }, h("summary", {}, t("check.met", { n: met.length })), list(met)));
}

function facts(v: Verdict, map: MapView): HTMLElement {
  const rows: [string, Node | string][] = [
    [t("check.unit"), units(v)],
    [t("check.allowed"), (v.allowed_types ?? []).join(", ") || "—"],
    [t("app.date"), formatDate(v.date)],
  ];
  if (v.point) rows.unshift([t("check.place"), placeText(v.point, map)]);
  if (v.rule_set) rows.push([t("check.rules"), v.rule_set]);
  return h("table", { class: "attributes" }, h("tbody", {}, ...rows.map(([title, value]) =>
    h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, value)))));
}

/** A place in WGS 84, and on the province's grid as surveyors write it: X to the north, Y to the east. */
function placeText([lon, lat]: [number, number], map: MapView): HTMLElement {
  const grid = map.onGrid([lon, lat]);
  return h("span", {}, `${formatNumber(lat, 6)}° N, ${formatNumber(lon, 6)}° E`,
    grid && h("small", {}, `${grid.name}: X ${formatNumber(grid.x, 1)} · Y ${formatNumber(grid.y, 1)}`));
}

/** The units' codes at once, their names as soon as they are known. */
function units(v: Verdict): HTMLElement {
  const cell = h("span", {}, "—");
  const codes = ["commune", "district"].flatMap((level) => {
    const code = v.unit?.[level];
    return code ? [{ level, code }] : [];
  });
  if (codes.length === 0) return cell;
  cell.textContent = codes.map((c) => c.code).join(", ");
  Promise.all(codes.map(async ({ level, code }) => `${await unitName(`${level}s`, code)} (${code})`.trim()))
    .then((texts) => { cell.textContent = texts.join(", "); }, notify);
  return cell;
}

function findingItem(v: Verdict, f: Finding, map: MapView): HTMLElement {
  const measures = [
    measure("check.measured", inMetres(f.measured_m, f.measured)), measure("check.required", inMetres(f.required_m, f.required)),
    measure("check.margin", typeof f.margin_m === "number" ? `${formatNumber(f.margin_m, 1)} m` : null),
    measure("check.reply", f.reply_days ? t("check.days", { n: f.reply_days }) : null),
    measure("check.clause", [f.clause, f.status && word("status", f.status)].filter(Boolean).join(" · ")),
    measure("check.data", [f.rule_set, f.data_date && formatDate(f.data_date), f.evidence?.recorded_on && t("check.recorded", { date: formatDate(f.evidence.recorded_on) })].filter(Boolean).join(" · ")),
  ].filter((m) => m !== null);
  const drawn = drawable(v, f);
  const light = drawn ? () => map.drawing.light(f) : undefined;
  const dim = drawn ? () => map.drawing.light(null) : undefined;
  return h("li", {
    class: `finding ${f.notice ? "notice-only" : f.outcome}${f.decides ? " decides" : ""}`, "data-rule": f.rule, "data-outcome": f.outcome,
    onmouseenter: light, onmouseleave: dim, onfocusin: light, onfocusout: dim,
  },
    h("div", { class: "rulehead" },
      h("span", { class: "outcome" }, f.notice ? t("outcome.notice") : word("outcome", f.outcome)),
      h("span", { class: "rule" }, f.rule),
      h("span", { class: "binds" }, t(f.decides ? "check.decides" : f.binding ? "check.binding" : f.outcome === "condition" ? "check.tobemet" : "check.advisory"))),
    h("p", { class: "message" }, say(f.message)),
    h("dl", {}, ...measures.flat()),
    sourceOf(f),
    drawn && h("button", { type: "button", class: "link", onclick: () => void attempt(() => showFinding(v, f, map)) },
      t("check.evidence"), f.evidence?.code ? ` (${f.evidence.code})` : ""));
}

/** Where a figure comes from; only an address of the web becomes a link. */
function sourceOf(f: Finding): HTMLElement | null {
  if (!f.source?.instrument) return null;
  const url = f.source.url && /^https?:\/\//.test(f.source.url) ? f.source.url : "";
  return h("details", { class: "source" }, h("summary", {}, t("check.source")), h("p", {}, f.source.instrument, url && " ", url && h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url)));
}

async function showFinding(v: Verdict, f: Finding, map: MapView): Promise<void> {
  await map.drawing.show(v);
  map.drawing.light(f);
  map.fit(map.drawing.extent(f));
}

function measure(key: "check.measured" | "check.required" | "check.margin" | "check.clause" | "check.data" | "check.reply", value: unknown): HTMLElement[] | null {
  const text = plain(value);
  return text === "" ? null : [h("dt", {}, t(key)), h("dd", {}, text)];
}

function evidenceButton(evidence: Evidence | null | undefined, map: MapView): HTMLElement | null {
  if (!evidence) return null;
  return h("button", { type: "button", class: "link", onclick: () => void attempt(() => showEvidence(evidence, map)) },
    t("check.evidence"), evidence.code ? ` (${evidence.code})` : "");
}

async function showEvidence(evidence: Evidence, map: MapView): Promise<void> {
  const feature = await fetchFeature(evidence.collection, evidence.id);
  if (feature) map.show(feature);
}

/** Other masts for the place, and masts that could carry this one. */
function alternatives(list: Alternative[], map: MapView): HTMLElement | null {
  if (list.length === 0) return null;
  const part = (title: "check.alternatives" | "check.share", of: Alternative[]) => of.length > 0 && h("section", { class: "alternatives" }, h("h3", {}, t(title)), h("ul", {}, ...of.map((a) =>
    h("li", {}, say(a.message) || plain(a.mast_type ?? a.structure), " ", evidenceButton(a.evidence, map)))));
  return h("div", {}, part("check.alternatives", list.filter((a) => !a.evidence)), part("check.share", list.filter((a) => a.evidence)));
}

/** A distance as the person writes numbers; what is none as the server words it. */
function inMetres(metres: number | undefined, text: unknown): unknown {
  if (typeof metres === "number") return `${formatNumber(metres, 1)} m`;
  return typeof text === "string" ? text.split(", ").map((part) => word("structure", part)).join(", ") : text;
}

/** A measure in words: most come written for people already. */
function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return formatNumber(value, 2);
  if (Array.isArray(value)) return value.map(plain).filter((text) => text !== "").join(", ");
  return typeof value === "string" ? value : say(value);
}
