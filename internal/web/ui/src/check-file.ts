// A whole file checked: masts from CSV, XLSX or GeoJSON, cables from GeoJSON; the file with the verdicts comes back.
import { answerTo, api, Problem, request, type Description, type GeoFeature, type Verdict } from "./api";
import { fill, h } from "./dom";
import { field, form } from "./forms";
import { formatNumber, say, t, type Text } from "./i18n";
import type { MapView } from "./map";
import { attempt } from "./notices";
import { featureDraft, fileDrafts, files, mastDraft, mostFiled, type Draft } from "./permit-filing";
import { findingsList, verdictBadge } from "./verdict";
import { readFeatures } from "./layers";

type Kind = "csv" | "xlsx" | "geojson";
const mediaTypes: Record<Kind, string> = {
  csv: "text/csv", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", geojson: "application/geo+json",
};

/** Above so many bytes rows are answered without their findings: a browser holds them all. */
const plentyBytes = 1 << 20;
/** How many rows are listed on the page; the file has them all. */
const mostListed = 200;

/** One row: what it said, and what became of it. */
interface Row { feature: GeoFeature; verdict: string; findings: Verdict | null; faults: string[]; name: string }
interface Answered { file: File; kind: Kind; cables: boolean; eachOther: boolean; rows: Row[] }

export class FileCheck {
  readonly element = h("details", { class: "files" });
  private readonly result = h("div", { id: "file-result" });
  private answered: Answered | undefined;
  private loading: AbortController | undefined;

  constructor(private readonly description: Description, private readonly map: MapView, private readonly filed: (id: number) => void) {}

  render(): void {
    const chosen = h("input", { name: "file", type: "file", required: true, accept: ".csv,.xlsx,.geojson,.json" });
    const others = h("input", { type: "checkbox", id: "check-others", checked: true });
    const progress = h("div", { class: "progress", role: "status" });
    const stop = h("button", { type: "button", class: "small", onclick: () => this.loading?.abort() }, t("form.cancel"));
    const look = form({
      id: "check-file", submit: t("batch.check"), class: "plain",
      act: async () => {
        const file = chosen.files?.[0];
        if (!file) return;
        const bar = h("progress", { "aria-label": t("batch.running") });
        const told = h("span", {}, t("batch.sending"));
        fill(progress, bar, told, stop);
        try {
          await this.check(file, others.checked, (done, all) => {
            if (all > 0) Object.assign(bar, { max: all, value: Math.min(done, all) });
            told.textContent = all > 0 ? t("batch.done", { n: done, m: all }) : t("batch.doneOf", { n: done });
          });
        } catch (cause) {
          if (!this.loading?.signal.aborted) throw cause;
        } finally {
          fill(progress);
        }
        this.drawResult();
        this.showOnMap(this.answered?.rows ?? []);
        const heading = this.result.querySelector<HTMLElement>("h3");
        heading?.focus({ preventScroll: true });
        heading?.scrollIntoView({ block: "start" }); // all that was found lies below it
      },
    }, field("check-file-chosen", t("batch.file"), chosen, h("small", { class: "help" }, t("batch.help"))),
    h("div", { class: "field tick" }, others, h("label", { for: "check-others" }, t("batch.eachOther"))), progress);
    fill(this.element, h("summary", {}, t("batch.title")), look, this.result);
    this.drawResult();
  }

  /** Asks about all rows; the answer is read as it comes. */
  private async check(file: File, eachOther: boolean, told: (done: number, all: number) => void): Promise<void> {
    this.answered = undefined;
    this.drawResult();
    this.loading = new AbortController();
    const kind = kindOf(file);
    if (kind === "geojson" || kind === "csv") {
      const text = await file.text();
      const cables = kind === "geojson" ? cablesIn(text) : null;
      if (cables) {
        this.answered = { file, kind, cables: true, eachOther: false, rows: await this.checkCables(cables) };
        return;
      }
      const all = kind === "csv" ? text.trim().split("\n").length - 1 : (text.match(/"Feature"/g) ?? []).length;
      this.answered = { file, kind, cables: false, eachOther, rows: await this.checkMasts(file, kind, eachOther, (done) => told(done, all)) };
      return;
    }
    this.answered = { file, kind, cables: false, eachOther, rows: await this.checkMasts(file, kind, eachOther, (done) => told(done, 0)) };
  }

  private async checkMasts(file: File, kind: Kind, eachOther: boolean, told: (done: number) => void): Promise<Row[]> {
    const detail = file.size > plentyBytes ? "verdict" : "full";
    const answer = await this.send(file, kind, "geojson", { detail, ...(eachOther && { against: "each_other" }) });
    const { features } = JSON.parse(await textOf(answer, told)) as { features: GeoFeature[] };
    return features.map((feature, i) => rowOf(feature, i));
  }

  private send(file: File, kind: Kind, wanted: Kind, query: Record<string, string>): Promise<Response> {
    return answerTo(`${api}/placement-checks?${new URLSearchParams(query).toString()}`, {
      file, headers: { "Content-Type": mediaTypes[kind], Accept: mediaTypes[wanted] }, ...(this.loading && { signal: this.loading.signal }),
    });
  }

  /** Cables are asked about as JSON; their file with the verdicts is made here. */
  private async checkCables(features: GeoFeature[]): Promise<Row[]> {
    const asked = features.map((f) => ({ ...Object.fromEntries(cableMembers.filter((name) => f.properties?.[name] !== undefined).map((name) => [name, f.properties[name]])), geometry: f.geometry }));
    type One = Verdict & { title?: string; errors?: { detail: string }[] };
    const { results } = await request<{ results: One[] }>(`${api}/cable-checks`, { body: { proposals: asked }, ...(this.loading && { signal: this.loading.signal }) });
    return features.map((feature, i) => {
      const one = results[i] as One;
      const wrong = one.errors?.map((e) => e.detail) ?? (one.verdict ? [] : [one.title ?? ""]);
      return { feature, verdict: one.verdict ?? "", findings: one.verdict ? one : null, faults: wrong, name: nameOf(feature, i) };
    });
  }

  private drawResult(): void {
    if (!this.answered) {
      fill(this.result);
      return;
    }
    const { rows, file } = this.answered;
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(row.verdict, (counts.get(row.verdict) ?? 0) + 1);
    const listed = rows.slice(0, mostListed);
    fill(this.result,
      h("h3", { tabindex: -1 }, t("batch.summary", { name: file.name })),
      h("ul", { class: "counts", id: "file-summary" }, ...["permitted", "conditional", "refused", "undetermined", ""].filter((v) => counts.has(v)).map((v) =>
        h("li", { "data-verdict": v || "invalid", "data-count": counts.get(v) ?? 0 }, v ? verdictBadge(v) : h("span", { class: "badge invalid" }, t("batch.invalid")), " ", formatNumber(counts.get(v) ?? 0, 0)))),
      this.downloads(),
      h("ul", { class: "rowlist" }, ...listed.map((row) => this.row(row))),
      rows.length > listed.length && h("p", { class: "intro" }, t("batch.more", { n: listed.length, m: rows.length })),
      this.filing());
  }

  private showOnMap(rows: Row[]): void {
    this.map.drawing.clear();
    this.map.drawing.rowOf = (n) => rows[n - 1]?.feature.geometry ? readFeatures([rows[n - 1]?.feature as GeoFeature])[0] : undefined;
    const points = rows.flatMap(({ feature, verdict }) => {
      const g = feature.geometry as { type: string; coordinates: [number, number] } | null;
      return g?.type === "Point" ? [{ at: g.coordinates, verdict }] : [];
    });
    this.map.pins(points);
    if (points.length > 0) this.map.fit(this.map.pinned(), 15);
    else this.map.show(...readFeatures(rows.filter((r) => r.feature.geometry).map((r) => r.feature)));
  }

  private row(row: Row): HTMLElement {
    const inside = h("div", {});
    const at = () => {
      const g = row.feature.geometry as { type: string } | null;
      if (!g) return;
      const [drawn] = readFeatures([row.feature]);
      if (drawn) this.map.show(drawn);
    };
    const opened = (event: Event) => {
      if (!(event.target as HTMLDetailsElement).open) return;
      at();
      if (row.findings) {
        void attempt(() => this.map.drawing.show(row.findings as Verdict));
        fill(inside, findingsList(row.findings, this.map, true));
      } else if (row.faults.length > 0) fill(inside, h("ul", { class: "problem" }, ...row.faults.map((fault) => h("li", {}, fault))));
    };
    return h("li", {}, h("details", { ontoggle: opened }, h("summary", {}, row.verdict ? verdictBadge(row.verdict) : h("span", { class: "badge invalid" }, t("batch.invalid")), " ", row.name), inside));
  }

  /** The file with a verdict on every row, in the formats there are for it. */
  private downloads(): HTMLElement {
    const answered = this.answered as Answered;
    const kinds: Kind[] = answered.cables ? ["geojson"] : answered.kind === "csv" ? ["csv", "geojson"] : answered.kind === "xlsx" ? ["xlsx", "csv", "geojson"] : ["geojson"];
    return h("div", { class: "row" }, h("span", {}, t("batch.download")), ...kinds.map((kind) => form({
      class: "plain inline", submit: kind.toUpperCase(),
      act: async () => {
        const blob = answered.cables ? cableFile(answered.rows)
          : await (await this.send(answered.file, answered.kind, kind, answered.eachOther ? { against: "each_other" } : {})).blob();
        save(blob, `${answered.file.name.replace(/\.[^.]+$/, "")}-verdicts.${kind}`);
      },
    })));
  }

  /** The way from the file to a proposal, for who may file. */
  private filing(): HTMLElement | null {
    const { rows, cables } = this.answered as Answered;
    const layer = cables ? "cable_segments" : "bts_sites";
    const good = rows.filter((r) => r.verdict !== "");
    if (!files(layer) || good.length === 0) return null;
    if (rows.length > mostFiled) return h("p", { class: "note" }, t("file.tooMany", { n: mostFiled }));
    const made = new Map<string, number>();
    const progress = h("p", { class: "progress", role: "status" });
    const about = form({
      id: "file-rows", submit: t("file.rows", { n: good.length }),
      act: async ({ title = "" }) => {
        const drafts = await Promise.all(good.map((row) => this.draft(row, layer)));
        try {
          this.filed(await fileDrafts(title, layer, drafts, made, (n) => { progress.textContent = t("file.progress", { n, m: drafts.length }); }));
        } finally {
          progress.textContent = "";
        }
      },
    }, field("file-rows-title", t("file.title"), h("input", { name: "title", required: true, maxlength: 300, autocomplete: "off" })), progress);
    return h("details", { class: "filing" }, h("summary", {}, t("file.fromFile")), h("p", { class: "intro" }, t("file.fromFile.help")), about);
  }

  private async draft(row: Row, layer: string): Promise<Draft> {
    const date = this.description.reference_date;
    const province = await provinceOf(row.feature);
    const commune = String(row.feature.properties["commune"] ?? "") || null;
    if (layer === "bts_sites") return mastDraft(row.name, row.feature.properties, { unit: { commune, province }, ...pointOf(row.feature) }, date);
    const fields = new Set(this.description.layers.find((l) => l.name === layer)?.fields.map((f) => f.name));
    return featureDraft(row.feature, fields, province, date);
  }
}

const cableMembers = ["carrier", "new_project", "new_poles", "renovation", "pole_height_m", "owner_agreement", "operator", "date"];

function kindOf(file: File): Kind {
  const ending = file.name.toLowerCase().split(".").at(-1);
  if (ending === "csv" || ending === "txt") return "csv";
  if (ending === "xlsx") return "xlsx";
  if (ending === "geojson" || ending === "json") return "geojson";
  throw new Problem(t("error.title"), t("batch.unknown"));
}

/** The features of a file that are lines; null where there is none, or it is none that a browser can read. */
function cablesIn(text: string): GeoFeature[] | null {
  let document: { features?: GeoFeature[] };
  try {
    document = JSON.parse(text) as { features?: GeoFeature[] };
  } catch {
    return null; // the server says what is wrong with it
  }
  const lines = document?.features?.filter((f) => /LineString$/.test((f.geometry as { type?: string } | null)?.type ?? "")) ?? [];
  return lines.length > 0 ? lines : null;
}

/** The text of an answer, with the rows that have come so far: each begins a line. */
async function textOf(answer: Response, told: (rows: number) => void): Promise<string> {
  if (!answer.body) return answer.text();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let rows = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
    rows += value.split("\n").length - 1;
    told(rows);
  }
}

interface RowProperties extends Partial<Omit<Verdict, "verdict">> { verdict: string | null; errors?: { at: string; detail: Text }[]; commune?: string; district?: string }

function rowOf(feature: GeoFeature, i: number): Row {
  const p = feature.properties as unknown as RowProperties;
  const place = { unit: { commune: p.commune ?? null, district: p.district ?? null }, ...pointOf(feature) };
  const findings = p.verdict && p.findings ? { ...(p as unknown as Verdict), ...place } : null;
  return { feature, verdict: p.verdict ?? "", findings, faults: (p.errors ?? []).map((e) => [e.at.replace("/", ""), say(e.detail)].filter((part) => part).join(": ")), name: nameOf(feature, i) };
}

function pointOf(feature: GeoFeature): { point?: [number, number] } {
  const g = feature.geometry as { type: string; coordinates: [number, number] } | null;
  return g?.type === "Point" ? { point: g.coordinates } : {};
}

/** What the file calls a row; else its number. */
function nameOf(feature: GeoFeature, i: number): string {
  const name: unknown = feature.properties?.["code"] ?? feature.id;
  return name === undefined || name === null || name === "" ? t("batch.row", { n: i + 1 }) : String(name);
}

/** The cables with their verdicts, as GeoJSON. */
function cableFile(rows: Row[]): Blob {
  const features = rows.map(({ feature, verdict, findings, faults }) => ({
    ...feature, properties: { ...feature.properties, verdict: verdict || null, ...(findings ? { findings: findings.findings, rule_set: findings.rule_set } : { errors: faults }) },
  }));
  return new Blob([JSON.stringify({ type: "FeatureCollection", features })], { type: mediaTypes.geojson });
}

function save(data: Blob, name: string): void {
  const address = URL.createObjectURL(data);
  h("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}

const provinces = new Map<string, Promise<string>>();

/** The code of the province that a feature begins in, asked once for each commune. */
function provinceOf(feature: GeoFeature): Promise<string> {
  const at = (feature.geometry as { coordinates: unknown } | null)?.coordinates;
  const key = String(feature.properties?.["commune"] || JSON.stringify(first(at)));
  const known = provinces.get(key) ?? provinceAt(first(at));
  provinces.set(key, known);
  known.catch(() => provinces.delete(key));
  return known;
}

function first(coordinates: unknown): [number, number] {
  const inner: unknown = Array.isArray(coordinates) ? coordinates[0] : undefined;
  return Array.isArray(inner) ? first(inner) : (coordinates as [number, number]);
}

async function provinceAt([lon, lat]: [number, number]): Promise<string> {
  const here = new URLSearchParams({ limit: "1", properties: "code", filter: `S_INTERSECTS(geometry,POINT(${lon} ${lat}))` });
  const { features } = await request<{ features: GeoFeature[] }>(`${api}/collections/provinces/items?${here.toString()}`);
  const code: unknown = features[0]?.properties["code"];
  if (typeof code !== "string") throw new Problem(t("error.title"), t("file.nowhere"));
  return code;
}
