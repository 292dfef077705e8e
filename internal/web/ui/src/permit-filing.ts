// Filing: what was checked becomes drafts of one's organisation, and these a proposal.
import { api, create, Problem, type GeoFeature, type Verdict } from "./api";
import { t } from "./i18n";
import { session } from "./session";

/** How many features one proposal may have. */
export const mostFiled = 200;

/** Whether the one signed in files drafts of a layer. */
export function files(layer: string): boolean {
  return !!session().organisation && session().grants.some((g) => g.role === "operator" && (g.layers === null || g.layers.includes(layer)));
}

/** A row that is not written yet. */
export interface Draft { type: "Feature"; geometry: unknown; properties: Record<string, unknown> & { code: string } }

/** The members of a check that are fields of a mast site, too. */
const dimensions = ["mast_type", "structure", "concealed", "height_m", "half_width_m", "host_building_height_m", "accuracy_m"];

/** The draft of a mast as it was checked; the check says where it lies and in which units. */
export function mastDraft(code: string, asked: Record<string, unknown>, v: Pick<Verdict, "unit" | "point">, date: string): Draft {
  const given = Object.fromEntries(dimensions.filter((name) => asked[name] !== undefined && asked[name] !== null).map((name) => [name, asked[name]]));
  if (given["structure"] === "camouflaged") Object.assign(given, { structure: "other", concealed: true }); // as a check reads it
  return draftOf(code, { type: "Point", coordinates: v.point }, { ...given, ...(v.unit?.["commune"] && { commune_code: v.unit["commune"] }), jurisdiction: v.unit?.["province"] }, date);
}

/** A feature of a file as the draft of a layer: with those of its properties that the layer has, and what every draft needs. */
export function featureDraft(feature: GeoFeature, fields: ReadonlySet<string>, province: string, date: string): Draft {
  const given = Object.fromEntries(Object.entries(feature.properties ?? {}).filter(([name, value]) => fields.has(name) && value !== null && value !== ""));
  return draftOf(String(given["code"] ?? feature.id ?? ""), feature.geometry, { jurisdiction: province, ...given }, date);
}

function draftOf(code: string, geometry: unknown, given: Record<string, unknown>, date: string): Draft {
  return {
    type: "Feature", geometry,
    properties: { illustrative: false, valid_from: date, ...given, code, status: "draft", owner_organisation: session().organisation },
  };
}

/**
 * Writes the drafts that are not written yet and files them as one proposal; answers its id. What
 * is written stands in made, by its code, and is not written again when filing is tried again.
 */
export async function fileDrafts(title: string, layer: string, drafts: Draft[], made: Map<string, number>, progress: (done: number) => void = () => {}): Promise<number> {
  const codes = drafts.map((d) => d.properties.code);
  if (codes.some((code) => code === "")) throw new Problem(t("error.title"), t("file.noCode"));
  const twice = codes.find((code, i) => codes.indexOf(code) !== i);
  if (twice !== undefined) throw new Problem(t("error.title"), t("file.twice", { code: twice }));
  for (const [i, draft] of drafts.entries()) {
    progress(i);
    if (!made.has(draft.properties.code)) made.set(draft.properties.code, await writeDraft(layer, draft));
  }
  progress(drafts.length);
  return fileRows(title, codes.map((code) => ({ collection: layer, id: made.get(code) ?? 0 })));
}

/** Files drafts that are there. */
export function fileRows(title: string, features: { collection: string; id: number }[]): Promise<number> {
  return create(`${api}/proposals`, { title, features });
}

/** A fault is told with the code of the row that it is about. */
async function writeDraft(layer: string, draft: Draft): Promise<number> {
  try {
    return await create(`${api}/collections/${layer}/items`, draft);
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    throw new Problem(cause.title, [`${draft.properties.code}:`, cause.detail].join(" ").trim(), cause.points, cause.request, cause.status, cause.wait);
  }
}
