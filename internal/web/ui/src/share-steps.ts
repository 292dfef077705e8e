// The steps that the server says one may take on a request to share, each with its form.
import { Problem, request } from "./api";
import { h } from "./dom";
import { field, form } from "./forms";
import { t, word } from "./i18n";
import { remember, type Taking } from "./permit-steps";
import { agreementText, quantities, shares, type Share } from "./shares";
import { session } from "./session";
import type { Key } from "./catalogue";

/** The steps in the order in which one thinks of them. */
const order = ["accept", "decline", "agree", "mediate", "refuse", "withdraw"] as const;
type Action = (typeof order)[number];

/** A form for every step. */
export function shareForms(share: Share, taking: Taking): HTMLElement[] {
  const open = order.filter((a) => share.actions?.includes(a));
  if (open.length === 0) return [h("p", { class: "none" }, t("share.nothing"))];
  return open.map((action) => h("details", { class: "step", "data-step": action }, h("summary", {}, words("share.do", action, share)), stepForm(action, share, taking)));
}

/** Staff are of none of the parties. */
function isOfficer(share: Share): boolean {
  const own = session().organisation;
  return own === null || (own !== share.asker && !share.partners.some((p) => p.organisation === own));
}

/** Officers do some of it for others, and are told so. */
function words(prefix: "share.do" | "share.help", action: Action, share: Share): string {
  const officers = prefix === "share.do" ? ["agree", "mediate"] : ["agree"];
  return isOfficer(share) && officers.includes(action) ? t(`${prefix}.${action}.officer` as Key) : word(prefix, action);
}

function stepForm(action: Action, share: Share, taking: Taking): HTMLElement {
  const one = form({
    id: `share-${action}`, submit: words("share.do", action, share),
    act: async (values) => {
      try {
        await request(`${shares}/${share.number}/steps`, { body: { action, revision: share.revision, ...bodyOf(action, values, share) } });
      } catch (cause) {
        if (cause instanceof Problem && cause.status === 412) return taking.stale();
        throw cause;
      }
      await taking.done(t("permit.done", { step: word("share.did", action) }));
    },
  }, h("p", { class: "intro" }, words("share.help", action, share)), ...fieldsOf(action, share));
  remember(one, action, taking.typed);
  return one;
}

const parties = (share: Share): string[] => [share.asker, ...share.partners.map((p) => p.organisation)];

/** What a step sends beside its name. */
function bodyOf(action: Action, values: Record<string, string>, share: Share): Record<string, unknown> {
  const document = values["document_number"] || values["document_date"] ? { document: { number: values["document_number"] ?? "", date: values["document_date"] || null } } : {};
  return {
    ...(values["reasons"] && { reasons: values["reasons"] }), ...document,
    ...((action === "accept" || action === "decline") && { capacity: capacityOf(values, share) }),
    ...((action === "accept" || (action === "agree" && isOfficer(share))) && { agreement: agreementOf(values, share) }),
  };
}

function capacityOf(values: Record<string, string>, share: Share): Record<string, number> {
  return Object.fromEntries(quantities(share.collection).capacity.filter((name) => values[name]).map((name) => [name, Number(values[name])]));
}

function agreementOf(values: Record<string, string>, share: Share): Record<string, unknown> {
  const of = parties(share).filter((code) => values[`share-${code}`]).map((code) => ({ organisation: code, capital_percent: Number(values[`share-${code}`]) }));
  return { shares: of, terms: values["terms"] ?? "", from: values["from"] || null };
}

function fieldsOf(action: Action, share: Share): HTMLElement[] {
  switch (action) {
    case "accept": return [...capacityFields(action, share), ...agreementFields(action, share)];
    case "decline": return [...capacityFields(action, share), reasons(action, true)];
    case "agree": return isOfficer(share) ? [...agreementFields(action, share), ...paper(action), reasons(action, false)] : offers(share);
    case "refuse": return [reasons(action, true), ...paper(action)];
    default: return [reasons(action, false)];
  }
}

function reasons(action: Action, required: boolean): HTMLElement {
  return field(`share-${action}-reasons`, t(required ? "share.why" : "share.whyOptional"), h("textarea", { name: "reasons", rows: 3, maxlength: 4000, required }));
}

const number = (id: string, name: string, label: string, step = "1"): HTMLElement => field(id, label, h("input", { name, type: "number", min: 0, step, inputmode: "decimal", autocomplete: "off" }));

function capacityFields(action: Action, share: Share): HTMLElement[] {
  return [h("h4", {}, t("share.capacity")), h("div", { class: "pair" }, ...quantities(share.collection).capacity.map((name) =>
    number(`share-${action}-${name}`, name, word("share.quantity", name), name === "height_m" || name === "load_kg" ? "any" : "1")))];
}

function agreementFields(action: Action, share: Share): HTMLElement[] {
  return [h("h4", {}, t(isOfficer(share) ? "share.agreement.made" : "share.agreement")), h("p", { class: "intro" }, t("share.percent.help")),
    field(`share-${action}-terms`, t("share.terms"), h("textarea", { name: "terms", rows: 3, maxlength: 4000 })),
    h("div", { class: "pair" }, ...parties(share).map((code) => number(`share-${action}-of-${code}`, `share-${code}`, t("share.percent", { name: code }), "0.01"))),
    field(`share-${action}-from`, t("share.from"), h("input", { name: "from", type: "date", min: isOfficer(share) ? undefined : share.asked_on }))];
}

function paper(action: Action): HTMLElement[] {
  return [h("div", { class: "pair" }, field(`share-${action}-number`, t("share.documentNumber"), h("input", { name: "document_number", maxlength: 200, autocomplete: "off" })),
    field(`share-${action}-date`, t("share.documentDate"), h("input", { name: "document_date", type: "date" })))];
}

/** What the asker agrees to. */
function offers(share: Share): HTMLElement[] {
  return (share.steps ?? []).filter((s) => s.action === "accept" && s.agreement).map((s) => agreementText(s.agreement as NonNullable<typeof s.agreement>));
}
