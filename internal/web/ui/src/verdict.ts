// A verdict as people read it: the answer, then every rule with measure and clause.
import { unitName, type Alternative, type Evidence, type Finding, type Verdict } from "./api";
import { h } from "./dom";
import { formatDate, formatNumber, say, t, word } from "./i18n";
import { fetchFeature } from "./layers";
import type { MapView } from "./map";
import { attempt, notify } from "./notices";

/** What decides comes first, then what is wrong, then the rest. */
function rank(f: Finding): number {
  const order = ["fail", "unknown", "condition", "pass"];
  return (f.decides ? 0 : 10) + (f.notice ? 5 : order.indexOf(f.outcome));
}

export function drawVerdict(v: Verdict, lon: number, lat: number, map: MapView): (HTMLElement | null)[] {
  const findings = [...v.findings].sort((a, b) => rank(a) - rank(b));
  return [
    h("p", { class: `verdict ${v.verdict}`, id: "verdict", "data-verdict": v.verdict }, word("verdict", v.verdict)),
    v.provisional ? h("p", { class: "note illustrative" }, t("check.provisional")) : null,
    facts(v, lon, lat),
    h("ul", { class: "findings" }, ...findings.map((f) => findingItem(f, map))),
    alternatives(v.alternatives ?? [], map),
  ];
}

function facts(v: Verdict, lon: number, lat: number): HTMLElement {
  const rows: [string, Node | string][] = [
    [t("check.place"), `${formatNumber(lat, 6)}° N, ${formatNumber(lon, 6)}° E`],
    [t("check.unit"), units(v)],
    [t("check.allowed"), (v.allowed_types ?? []).join(", ") || "—"],
    [t("app.date"), formatDate(v.date)],
  ];
  if (v.rule_set) rows.push([t("check.rules"), v.rule_set]);
  return h("table", { class: "attributes" }, h("tbody", {}, ...rows.map(([title, value]) =>
    h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, value)))));
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

function findingItem(f: Finding, map: MapView): HTMLElement {
  const measures = [
    measure("check.measured", f.measured), measure("check.required", f.required),
    measure("check.margin", typeof f.margin_m === "number" ? `${formatNumber(f.margin_m, 1)} m` : null),
    measure("check.clause", [f.clause, f.status].filter(Boolean).join(" · ")),
  ].filter((m) => m !== null);
  return h("li", { class: `finding ${f.notice ? "notice-only" : f.outcome}${f.decides ? " decides" : ""}`, "data-rule": f.rule, "data-outcome": f.outcome },
    h("div", { class: "rulehead" },
      h("span", { class: "outcome" }, f.notice ? t("outcome.notice") : word("outcome", f.outcome)),
      h("span", { class: "rule" }, f.rule),
      h("span", { class: "binds" }, t(f.decides ? "check.decides" : f.binding ? "check.binding" : "check.advisory"))),
    h("p", { class: "message" }, say(f.message)),
    h("dl", {}, ...measures.flat()),
    evidenceButton(f.evidence, map));
}

function evidenceButton(evidence: Evidence | null | undefined, map: MapView): HTMLElement | null {
  if (!evidence) return null;
  return h("button", { type: "button", class: "link", onclick: () => void attempt(() => showEvidence(evidence, map)) },
    t("check.evidence"), evidence.code ? ` (${evidence.code})` : "");
}

function measure(key: "check.measured" | "check.required" | "check.margin" | "check.clause", value: unknown): HTMLElement[] | null {
  const text = plain(value);
  return text === "" ? null : [h("dt", {}, t(key)), h("dd", {}, text)];
}

async function showEvidence(evidence: Evidence, map: MapView): Promise<void> {
  const feature = await fetchFeature(evidence.collection, evidence.id);
  if (feature) map.show(feature);
}

function alternatives(list: Alternative[], map: MapView): HTMLElement | null {
  if (list.length === 0) return null;
  return h("section", { class: "alternatives" }, h("h3", {}, t("check.alternatives")), h("ul", {}, ...list.map((a) =>
    h("li", {}, say(a.message) || plain(a.mast_type ?? a.structure), " ", evidenceButton(a.evidence, map)))));
}

/** A measure in words: most come written for people already. */
function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return formatNumber(value, 2);
  if (Array.isArray(value)) return value.map(plain).filter((text) => text !== "").join(", ");
  return typeof value === "string" ? value : say(value);
}
