// The API as the page uses it: shapes, requests, and errors a person can read.
import { language, t, type Text } from "./i18n";

export interface Description {
  reference_date: string;
  /** The time zone of the register, in which its days begin. */
  time_zone?: string;
  version: string;
  basemap: { url: string; attribution: string } | null;
  grid: { code: string; title: Text; proj4: string } | null;
  /** The projected grids of VN-2000 that a place may be given in. */
  grids: { code: string; name: string }[];
  groups: { id: string; title: Text }[];
  layers: LayerInfo[];
}

/** Reference layers have the last two, too: "Geometry" is any kind, feature by feature. */
export type GeometryType = "Point" | "MultiLineString" | "MultiPolygon" | "MultiPoint" | "Geometry";

export interface LayerInfo {
  name: string;
  group: string;
  title: Text;
  doc: Text;
  geometry: GeometryType;
  colour: string;
  colour_by?: string;
  fields: FieldInfo[];
}

export interface FieldInfo { name: string; kind: string; title: Text; unit?: string; values?: ValueInfo[] }
export interface ValueInfo { code: string; title: Text; colour?: string }

export interface Link { rel: string; href: string; type?: string; title?: string }
export interface GeoFeature { type: "Feature"; id: number; geometry: unknown; properties: Record<string, unknown> }
export interface Page { features: GeoFeature[]; numberMatched?: number; links?: Link[] }

export interface Finding {
  rule: string;
  outcome: string;
  binding: boolean;
  clause?: string;
  /** Whose rules it is of, ID@VERSION, and the day whose facts count. */
  rule_set?: string;
  data_date?: string;
  measured?: unknown;
  required?: unknown;
  margin_m?: number | null;
  /** Distances, metres, where the rule is about one. */
  measured_m?: number;
  required_m?: number;
  /** How long who is consulted has. */
  reply_days?: number;
  source?: { instrument: string; url?: string };
  evidence?: Evidence | null;
  message: Text | string;
  /** The verdict stands because of this finding. */
  decides?: boolean;
  /** Information that changes no verdict. */
  notice?: boolean;
  /** The standing of the rule's figure where it is no law. */
  status?: string;
}

/** A draft has the status draft; recorded_on is when the register last recorded it. */
export interface Evidence { collection: string; id: number; code?: string; status?: string; recorded_on?: string }
export interface Alternative {
  message?: Text | string;
  evidence?: Evidence | null;
  mast_type?: string;
  structure?: string;
  operators?: string[];
  distance_m?: number;
}

/** The nearest place where the same mast may stand; null members where there is none. */
export interface Nearest { verdict: string | null; lon: number | null; lat: number | null; distance_m: number | null; bearing_deg: number | null; message: Text }

export interface Verdict {
  verdict: string;
  unit?: Record<string, string | null> | null;
  allowed_types?: string[] | null;
  provisional?: boolean;
  findings: Finding[];
  alternatives?: Alternative[] | null;
  nearest?: Nearest;
  /** [lon, lat] of what was checked; a cable has none. */
  point?: [number, number];
  date: string;
  rule_set?: string;
}

export interface Indicator {
  id: string;
  of?: string | null;
  operator?: string | null;
  basis?: string | null;
  stage?: string | null;
  /** Only what is new in this phase. */
  phase?: string | null;
  value: number | null;
  unit?: string;
  numerator?: number | null;
  denominator?: number | null;
  definition?: string | Text;
  area_basis?: string | null;
  method?: string | null;
  /** Where the value is found: [lon, lat], of a maximum. */
  at?: [number, number] | null;
  reason?: string | Text | null;
  note?: string | Text | null;
  /** Rows that could not be judged: in neither number. */
  unknown?: number;
  source?: string | Text;
}

export interface UnitIndicators { unit: { code: string; name: string; level: string }; date: string; indicators: Indicator[] }

/** What is wrong at one place of what was sent. */
export interface Point { at: string; detail: string }

/** What went wrong, as RFC 9457 words it: a title, and what to do about it. */
export class Problem extends Error {
  constructor(
    readonly title: string, readonly detail: string, readonly points: Point[] = [], readonly request = "",
    /** The status of the answer, and the seconds after which to ask again; 0 for none. */
    readonly status = 0, readonly wait = 0,
  ) {
    super(`${title}: ${detail}`);
  }
}

export const api = "/api/v1";

/** What is sent: a GET unless there is a body, a file or a method is named. */
export interface Sending {
  method?: "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  /** Bytes that are sent as they are. */
  file?: Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** The session that requests belong to: its token, and who is told when the server knows it no more. */
export const sessionOf: { csrf: string | null; ended: () => void } = { csrf: null, ended: () => {} };

/** Fetches JSON in the person's language; everything that is not a good answer is thrown as a Problem. */
export async function request<T>(address: string, sending: Sending = {}): Promise<T> {
  const answer = await answerTo(address, sending);
  return answer.status === 204 ? (undefined as T) : ((await jsonOf(answer)) as T);
}

/** Makes a row and returns its id, which only the answer's Location says. */
export async function create(address: string, body: unknown): Promise<number> {
  const answer = await answerTo(address, { body });
  return Number(answer.headers.get("Location")?.split("/").at(-1));
}

/** A good answer, not read yet; what is none is thrown as a Problem. */
export async function answerTo(address: string, { method, body, file, headers: more, signal }: Sending = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/geo+json, application/json", "Accept-Language": language() };
  const sends = body !== undefined || file !== undefined;
  const init: RequestInit = { method: method ?? (sends ? "POST" : "GET"), headers, ...(signal && { signal }) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  if (file) init.body = file;
  Object.assign(headers, more);
  if (init.method !== "GET" && sessionOf.csrf) headers["X-CSRF-Token"] = sessionOf.csrf;
  let answer: Response;
  try {
    answer = await fetch(address, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem(t("error.title"), t("error.network"));
  }
  if (answer.status === 401 && sessionOf.csrf) sessionOf.ended();
  if (!answer.ok) throw problemOf(await jsonOf(answer), answer);
  return answer;
}

async function jsonOf(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem(t("error.title"), t("error.answer", { status: String(answer.status) }), [], "", answer.status);
  }
}

function problemOf(document: unknown, answer: Response): Problem {
  const d = (document ?? {}) as { title?: unknown; detail?: unknown; errors?: unknown; request_id?: unknown };
  const points = Array.isArray(d.errors) ? d.errors.map(pointOf) : [];
  const detail = readable(d.detail);
  return new Problem(
    readable(d.title) || t("error.title"),
    // A single fault is often the detail itself: it is said once.
    points.some((p) => p.detail.endsWith(detail)) ? "" : detail || t("error.answer", { status: String(answer.status) }),
    points,
    readable(d.request_id),
    answer.status,
    waitOf(answer.headers.get("Retry-After")),
  );
}

/** The seconds of a Retry-After header, which may also be a time; 0 for none. */
function waitOf(header: string | null): number {
  if (!header) return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Math.max(0, seconds || 0);
}

function pointOf(e: Record<string, unknown>): Point {
  return { at: readable(e["pointer"]) || readable(e["parameter"]) || readable(e["at"]), detail: readable(e["detail"]) };
}

function readable(text: unknown): string {
  if (typeof text === "string") return text;
  const pair = text as Partial<Text> | null | undefined;
  return (language() === "vi" ? pair?.vi : pair?.en) ?? "";
}

const pageSize = 10_000;
const mostFeatures = 20_000;

/** All features of a layer by its next links, up to what a browser draws with ease. */
export async function allFeatures(collection: string, signal: AbortSignal): Promise<{ features: GeoFeature[]; matched: number }> {
  const features: GeoFeature[] = [];
  let matched = 0;
  let next: string | undefined = `${api}/collections/${collection}/items?limit=${pageSize}`;
  while (next && features.length < mostFeatures) {
    const page: Page = await request<Page>(next, { signal });
    features.push(...page.features);
    matched = page.numberMatched ?? features.length;
    const link = page.features.length ? page.links?.find((l) => l.rel === "next") : undefined;
    // Only path and query are taken: behind a proxy the host in a link may be one the page's policy refuses.
    next = link && pathOf(link.href);
  }
  return { features, matched: Math.max(matched, features.length) };
}

function pathOf(href: string): string {
  const address = new URL(href, location.href);
  return address.pathname + address.search;
}

/** How many features a layer has on the reference date. */
export async function count(collection: string): Promise<number> {
  const page = await request<Page>(`${api}/collections/${collection}/items?limit=1`);
  return page.numberMatched ?? page.features.length;
}

const names = new Map<string, string>();

/** The name of the unit with that code, or "" when the layer has none on the date. */
export async function unitName(collection: string, code: string): Promise<string> {
  const key = `${collection}/${code}`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const page = await request<Page>(`${api}/collections/${collection}/items?limit=1&code=${encodeURIComponent(code)}`);
  const name = String(page.features[0]?.properties["name"] ?? "");
  names.set(key, name);
  return name;
}
