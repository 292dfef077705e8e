// Asking: for a feature of another from its card, or to build together from the panel.
import { Problem, request, type Description } from "./api";
import { h } from "./dom";
import { field, form, select } from "./forms";
import { say, t, word } from "./i18n";
import type { Picked } from "./map";
import { attempt } from "./notices";
import { organisations } from "./organisations";
import { files } from "./permit-filing";
import { readDegrees } from "./place";
import { session } from "./session";
import { quantities, sharedLayers, shares } from "./shares";

/** The form that asks for a feature, where the one signed in may ask for it; asked is called with the number of the request. */
export function askFor({ feature, layer }: Picked, asked: (number: string) => void): HTMLElement | null {
  const owner: unknown = feature.get("owner_organisation");
  const id = feature.getId();
  if (!sharedLayers.includes(layer) || !files(layer) || typeof owner !== "string" || owner === session().organisation || feature.get("status") === "draft" || id === undefined) return null;
  return h("details", { class: "filing", id: "share-ask" }, h("summary", {}, t("share.ask")), h("p", { class: "intro" }, t("share.ask.intro", { owner })), form({
    id: "share-ask-form", submit: t("share.ask.do"),
    act: async (values) => asked(await send({ feature: { collection: layer, id: Number(id) } }, layer, values)),
  }, ...wantedFields("ask", layer)));
}

/** The form that asks others to build together at a place; nothing for who files nothing. */
export function buildTogether(description: Description, asked: (number: string) => void): HTMLElement | null {
  const layers = sharedLayers.filter(files);
  if (layers.length === 0) return null;
  const place = h("div");
  const chosen = select("collection", layers.map((name) => [name, say(description.layers.find((l) => l.name === name)?.title)] as const), layers[0] ?? "");
  const partners = h("ul", { class: "choices one" });
  const draw = () => place.replaceChildren(...wantedFields("build", chosen.value));
  chosen.addEventListener("change", draw);
  draw();
  void attempt(async () => {
    for (const o of (await organisations()).filter((one) => one.kind === "operator" && one.code !== session().organisation)) {
      const id = `build-with-${o.code}`;
      partners.append(h("li", {}, h("input", { type: "checkbox", id, value: o.code }), h("label", { for: id }, `${say(o.name)} (${o.code})`)));
    }
  });
  return h("details", { class: "filing", id: "share-build" }, h("summary", {}, t("share.build")), form({
    id: "share-build-form", submit: t("share.ask.do"),
    act: async (values) => {
      const [lat, lon] = [readDegrees(values["lat"] ?? "", "N", "S"), readDegrees(values["lon"] ?? "", "E", "W")];
      const codes = [...partners.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value);
      if (lat === null || lon === null || codes.length === 0) throw new Problem(t("error.title"), t("share.build.place"));
      asked(await send({ together: { collection: chosen.value, lon, lat, partners: codes } }, chosen.value, values));
    },
  }, field("build-collection", t("share.build.layer"), chosen),
  h("div", { class: "pair" }, field("build-lat", t("check.lat"), h("input", { name: "lat", required: true, inputmode: "decimal", autocomplete: "off" })),
    field("build-lon", t("check.lon"), h("input", { name: "lon", required: true, inputmode: "decimal", autocomplete: "off" }))),
  h("fieldset", {}, h("legend", {}, t("share.build.with")), partners), place));
}

function wantedFields(prefix: string, layer: string): HTMLElement[] {
  return [
    h("div", { class: "pair" }, ...quantities(layer).wanted.map((name) =>
      field(`${prefix}-${name}`, word("share.quantity", name), h("input", { name, type: "number", min: 0, step: name === "height_m" ? "any" : "1", inputmode: "decimal", autocomplete: "off" }))),
    field(`${prefix}-from`, t("share.from"), h("input", { name: "from", type: "date" }))),
    ...(layer === "bts_sites" ? [field(`${prefix}-technologies`, t("share.technologies"), h("input", { name: "technologies", autocomplete: "off" }))] : []),
    field(`${prefix}-reasons`, t("share.ask.why"), h("textarea", { name: "reasons", rows: 3, maxlength: 4000, required: true })),
  ];
}

async function send(what: object, layer: string, values: Record<string, string>): Promise<string> {
  const technologies = (values["technologies"] ?? "").split(",").map((one) => one.trim()).filter((one) => one !== "");
  const wanted = {
    ...Object.fromEntries(quantities(layer).wanted.filter((name) => values[name]).map((name) => [name, Number(values[name])])),
    ...(technologies.length > 0 && { technologies }), ...(values["from"] && { from: values["from"] }),
  };
  return (await request<{ number: string }>(shares, { body: { ...what, wanted, reasons: values["reasons"] } })).number;
}
