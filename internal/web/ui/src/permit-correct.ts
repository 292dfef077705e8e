// Correcting what was filed, while more is asked of it.
import { answerTo, api, type Description, type FieldInfo, type GeoFeature } from "./api";
import { fill, h } from "./dom";
import { field, form, select } from "./forms";
import { say, t } from "./i18n";
import type { Filed } from "./permits";
import { fillWith } from "./section";

/** What steps alone change, and what says where the row comes from. */
const kept = ["code", "status", "owner_organisation", "jurisdiction", "valid_from", "valid_to", "revision", "updated_at", "illustrative", "source", "phase"];

/** The form that corrects a row, asked for when it is opened. */
export function correction(description: Description, f: Filed, done: (said: string) => Promise<void>): HTMLElement {
  const place = h("div");
  const fields = (description.layers.find((l) => l.name === f.collection)?.fields ?? []).filter((one) => !kept.includes(one.name) && ["text", "number", "integer", "boolean"].includes(one.kind));
  const address = `${api}/collections/${f.collection}/items/${f.id}`;
  const draw = () => fillWith(place, async () => {
    const answer = await answerTo(address);
    const tag = answer.headers.get("ETag") ?? "";
    const row = (await answer.json()) as GeoFeature;
    return [rowForm(row, fields, async (changes) => {
      if (Object.keys(changes).length > 0) await answerTo(address, { method: "PATCH", body: changes, headers: { "Content-Type": "application/merge-patch+json", "If-Match": tag } });
      await done(t("permit.corrected", { code: f.code }));
    })];
  });
  const whole = h("details", { class: "correct", ontoggle: () => { if (whole.open) void draw(); else fill(place); } }, h("summary", {}, t("permit.correct")), place);
  return whole;
}

function rowForm(row: GeoFeature, fields: FieldInfo[], send: (changes: Record<string, unknown>) => Promise<void>): HTMLElement {
  const point = row.geometry as { type: string; coordinates: [number, number] };
  const before = (name: string) => { const value = row.properties[name]; return value === null || value === undefined ? "" : String(value); };
  const places = point.type === "Point" ? [["lat", t("check.lat"), String(point.coordinates[1])], ["lon", t("check.lon"), String(point.coordinates[0])]] as const : [];
  return form({
    class: "plain", submit: t("form.save"),
    act: async (values) => {
      const properties = Object.fromEntries(fields.filter((f) => values[f.name] !== before(f.name)).map((f) => [f.name, valueOf(f, values[f.name] ?? "")]));
      const moved = places.some(([name, , value]) => values[name] !== value);
      await send({ ...(Object.keys(properties).length > 0 && { properties }), ...(moved && { geometry: { type: "Point", coordinates: [Number(values["lon"]), Number(values["lat"])] } }) });
    },
  }, ...pairs([...places.map(([name, label, value]) => field(`correct-${row.id}-${name}`, label, h("input", { name, type: "number", step: "any", required: true, value }))),
    ...fields.map((f) => field(`correct-${row.id}-${f.name}`, say(f.title), control(f, before(f.name))))]));
}

function control(f: FieldInfo, value: string): HTMLInputElement | HTMLSelectElement {
  if (f.values?.length) return select(f.name, [["", t("check.unstated")], ...f.values.map((v) => [v.code, say(v.title)] as const)], value);
  if (f.kind === "boolean") return select(f.name, [["", t("check.unstated")], ["true", t("value.yes")], ["false", t("value.no")]], value);
  return h("input", { name: f.name, value, autocomplete: "off", ...(f.kind !== "text" && { type: "number", step: "any" }) });
}

function valueOf(f: FieldInfo, text: string): unknown {
  if (text === "") return null;
  if (f.kind === "boolean") return text === "true";
  return f.kind === "text" ? text : Number(text);
}

/** Two fields beside each other. */
function pairs(fields: HTMLElement[]): HTMLElement[] {
  return fields.flatMap((one, i) => (i % 2 === 0 ? [h("div", { class: "pair" }, one, fields[i + 1])] : []));
}
