// The steps that the server says one may take on a proposal, each with its form.
import { Problem, request } from "./api";
import { h } from "./dom";
import { field, form, select } from "./forms";
import { t, word } from "./i18n";
import { attempt } from "./notices";
import { organisations } from "./organisations";
import { attached } from "./permit-files";
import { proposals, type Permit } from "./permits";
import { say } from "./i18n";
import { session } from "./session";

const answers = ["agreed", "agreed_with_conditions", "objected", "no_remark"] as const;

/** The steps in the order in which one thinks of them: what leads on first, what ends it last. */
const order = ["answer", "supplement", "ask_more", "consult", "approve", "renew", "build", "expire", "refuse", "withdraw"] as const;
type Action = (typeof order)[number];

/** What the form of a step is given: what was typed before, and what to call when it is taken, or somebody was first. */
export interface Taking { typed: Map<string, string>; done: (said: string) => Promise<void>; stale: () => Promise<void> }

interface TakingOfPermit extends Taking { permit: Permit }

/** A form for every step; that of who must answer stands open. stale is called when somebody was first. */
export function stepForms(permit: Permit, typed: Map<string, string>, done: (said: string) => Promise<void>, stale: () => Promise<void>): HTMLElement[] {
  const taking = { permit, typed, done, stale };
  const open = order.filter((a) => permit.actions?.includes(a) && (a !== "answer" || answerable(permit).length > 0));
  if (open.length === 0) return [h("p", { class: "none" }, t("permit.nothing"))];
  return open.map((action) => h("details", { class: "step", "data-step": action, open: action === "supplement" || (action === "answer" && permit.awaits_answer) || undefined },
    h("summary", {}, title(action, permit)), stepForm(action, taking)));
}

/** An agency answers for itself, an officer for those that have written to him. */
function title(action: Action, p: Permit): string { return action === "answer" && !p.awaits_answer ? t("permit.do.record") : word("permit.do", action); }

/** The agencies whose answer may be given: one's own, or as an officer those of all that are asked. */
function answerable(p: Permit): string[] {
  const waiting = new Set((p.consultations ?? []).filter((c) => c.state === "open").map((c) => c.agency));
  return [...waiting];
}

function stepForm(action: Action, of: TakingOfPermit): HTMLElement {
  const help = h("p", { class: "intro" }, word("permit.help", action));
  const one = form({
    id: `step-${action}`, submit: title(action, of.permit), words: (problem) => inWords(problem, of.permit),
    act: async (values) => {
      try {
        await request(`${proposals}/${of.permit.id}/decisions`, { body: { action, revision: of.permit.revision, ...bodyOf(action, values, one) } });
      } catch (cause) {
        if (cause instanceof Problem && cause.status === 412) return of.stale();
        throw cause;
      }
      await of.done(t("permit.done", { step: word("permit.did", action) }));
    },
  }, help, ...fieldsOf(action, of));
  remember(one, action, of.typed);
  return one;
}

/** Fills a form with what was typed into it before, and keeps what is typed from now on. */
export function remember(form: HTMLFormElement, prefix: string, typed: Map<string, string>): void {
  for (const control of form.querySelectorAll<HTMLInputElement>("input[name]:not([type=checkbox]), textarea[name], select[name]")) {
    const key = `${prefix}/${control.name}`;
    if (typed.has(key)) control.value = typed.get(key) ?? "";
    control.addEventListener("input", () => typed.set(key, control.value));
  }
}

/** What stands in the way of a step, as the page shows it. */
function inWords(problem: Problem, p: Permit): Problem {
  if (problem.status !== 409) return problem;
  return new Problem(t("permit.blocked"), (p.missing_consents ?? []).length > 0 ? t("permit.blocked.consents") : problem.detail, problem.points);
}

/** What was asked for last. */
function wanted(p: Permit): HTMLElement[] {
  const asked = p.steps?.findLast((s) => s.action === "ask_more")?.reasons;
  return asked ? [h("p", {}, `${t("permit.wanted")}:`), h("p", { class: "said", id: "wanted" }, asked)] : [];
}

/** What a step sends beside its name. */
function bodyOf(action: Action, values: Record<string, string>, form: HTMLFormElement): Record<string, unknown> {
  const reasons = values["reasons"] ? { reasons: values["reasons"] } : {};
  switch (action) {
    case "approve":
      return { ...reasons, conditions: (values["conditions"] ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "") };
    case "consult":
      return { ...reasons, agencies: ticked(form, "agency"), required: ticked(form, "required").length > 0 };
    case "answer":
      return {
        ...reasons, ...(values["agency"] && { agency: values["agency"] }), answer: values["answer"],
        ...(values["document_number"] && { document_number: values["document_number"] }), ...(values["document_date"] && { document_date: values["document_date"] }),
        ...(values["attachment"] && { attachment: Number(values["attachment"]) }),
      };
    default:
      return reasons;
  }
}

function ticked(form: HTMLFormElement, group: string): string[] {
  return [...form.querySelectorAll<HTMLInputElement>(`input[data-group="${group}"]`)].filter((box) => box.checked).map((box) => box.value);
}

function fieldsOf(action: Action, of: TakingOfPermit): HTMLElement[] {
  switch (action) {
    case "ask_more": return [text("ask_more", "reasons", t("permit.wanted"), true)];
    case "supplement": return [...wanted(of.permit), text("supplement", "reasons", t("permit.answerTo"), false)];
    case "refuse": return [text("refuse", "reasons", t("permit.reasons"), true)];
    case "approve": return [text("approve", "conditions", t("permit.conditions"), false, t("permit.conditions.help")), text("approve", "reasons", t("permit.reasonsOptional"), false, t("permit.reasonsAgainst.help"))];
    case "consult": return [agencies(), tick("required", "required", t("permit.consentNeeded"))];
    case "answer": return answerFields(of.permit);
    case "withdraw": return [text("withdraw", "reasons", t("permit.reasonsOptional"), false)];
    default: return [];
  }
}

function text(action: Action, name: string, label: string, required: boolean, help = ""): HTMLElement {
  return field(`${action}-${name}`, label, h("textarea", { name, rows: 3, maxlength: 4000, required }), help ? h("small", { class: "help" }, help) : undefined);
}

function tick(group: string, value: string, label: string): HTMLElement {
  const id = `tick-${group}-${value}`;
  return h("div", { class: "field tick" }, h("input", { type: "checkbox", id, value, "data-group": group }), h("label", { for: id }, label));
}

function agencies(): HTMLElement {
  const list = h("ul", { class: "choices one" });
  const learn = async () => {
    for (const o of (await organisations()).filter((one) => one.kind === "agency")) {
      const id = `tick-agency-${o.code}`;
      list.append(h("li", {}, h("input", { type: "checkbox", id, value: o.code, "data-group": "agency" }), h("label", { for: id }, `${say(o.name)} (${o.code})`)));
    }
  };
  void attempt(learn);
  return h("fieldset", { class: "layerChoice" }, h("legend", {}, t("permit.agencies")), list);
}

function answerFields(p: Permit): HTMLElement[] {
  const own = p.awaits_answer && session().organisation;
  const whose = select("agency", answerable(p).map((code) => [code, code] as const), "");
  const chosen = select("answer", [["", t("consult.choose")], ...answers.map((a) => [a, word("consult.answer", a)] as const)], "");
  chosen.required = true;
  const name = async () => {
    for (const o of await organisations()) {
      const option = [...whose.options].find((one) => one.value === o.code);
      if (option) option.text = `${say(o.name)} (${o.code})`;
    }
  };
  if (!own) void attempt(name);
  return [
    ...(own ? [] : [field("answer-agency", t("consult.agency"), whose)]),
    field("answer-answer", t("consult.answer"), chosen),
    h("div", { class: "pair" }, field("answer-number", t("permit.documentNumber"), h("input", { name: "document_number", maxlength: 200, autocomplete: "off" })),
      field("answer-date", t("permit.documentDate"), h("input", { name: "document_date", type: "date" }))),
    ...answerFile(p),
    text("answer", "reasons", t("consult.note"), false),
  ];
}

/** The files that were attached for an answer, of which one may go with it; nothing where there are none. */
function answerFile(p: Permit): HTMLElement[] {
  const chosen = select("attachment", [["", t("attached.noFile")]], "");
  const whole = field("answer-attachment", t("attached.answerFile"), chosen);
  whole.hidden = true;
  void attempt(async () => {
    const files = (await attached(p.id)).filter((one) => one.agency !== null && answerable(p).includes(one.agency));
    chosen.append(...files.map((one) => h("option", { value: String(one.id) }, `${one.name} (${one.agency})`)));
    whole.hidden = files.length === 0;
  });
  return [whole];
}
