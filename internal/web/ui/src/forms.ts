// Forms that say what is wrong beside the field it is about, and steps that ask first.
import { Problem } from "./api";
import { fill, h } from "./dom";
import { t } from "./i18n";
import { drawProblem, problemFrom } from "./notices";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** A control with its label; help is read with it. */
export function field(id: string, label: string, control: Control, help?: HTMLElement): HTMLElement {
  control.id = id;
  if (help) help.id = `${id}-help`;
  const described = [`${id}-wrong`, ...(help ? [help.id] : [])].join(" ");
  control.setAttribute("aria-describedby", described);
  return h("div", { class: "field" }, h("label", { for: id }, label), control, help, h("p", { class: "wrong", id: `${id}-wrong` }));
}

export function select(name: string, options: (readonly [code: string, text: string])[], value: string): HTMLSelectElement {
  return h("select", { name }, ...options.map(([code, text]) => h("option", { value: code, selected: code === value }, text)));
}

/** A password that is being chosen; what it is for decides what the browser offers. */
export function password(name: string, autocomplete: "current-password" | "new-password", required = true): HTMLInputElement {
  return h("input", { name, type: "password", autocomplete, required });
}

interface FormOptions {
  /** The text of the button. */
  submit: string;
  /** Sends what the form holds; a Problem is shown in the form. */
  act: (values: Record<string, string>) => Promise<void>;
  id?: string;
  class?: string;
  /** Other words for a problem, where the server's do not fit. */
  words?: (problem: Problem) => Problem;
}

/** A form of these fields. Empty fields that are required are named before anything is sent. */
export function form(options: FormOptions, ...children: (HTMLElement | false | null | undefined)[]): HTMLFormElement {
  const wrong = h("div", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary" }, options.submit);
  const submit = async (): Promise<void> => {
    show(element, wrong, null);
    if (isBusy(button) || !filled(element)) return;
    busy(button, true);
    try {
      await options.act(valuesOf(element));
    } catch (cause) {
      const problem = problemFrom(cause);
      show(element, wrong, options.words ? options.words(problem) : problem);
    } finally {
      busy(button, false);
    }
  };
  const element: HTMLFormElement = h("form", {
    novalidate: true, id: options.id, class: options.class, onsubmit: (e) => { e.preventDefault(); void submit(); },
  }, wrong, ...children, button);
  return element;
}

function controlsOf(form: HTMLFormElement): Control[] {
  return [...form.querySelectorAll<Control>("input[name], select[name], textarea[name]")];
}

/** Spaces around a text are nobody's wish; in a password they may be. */
function valuesOf(form: HTMLFormElement): Record<string, string> {
  return Object.fromEntries(controlsOf(form).map((c) => [c.name, c.type === "password" ? c.value : c.value.trim()]));
}

/** Whether every field that must be filled is; the first that is not gets the focus. */
function filled(form: HTMLFormElement): boolean {
  const empty = controlsOf(form).filter((c) => c.required && c.value.trim() === "");
  for (const control of empty) blame(control, t("form.required"));
  empty[0]?.focus();
  return empty.length === 0;
}

/** Shows a problem: beside the fields that it names, the rest on top. null takes it all away. */
function show(form: HTMLFormElement, box: HTMLElement, problem: Problem | null): void {
  const controls = controlsOf(form);
  for (const control of controls) blame(control, "");
  box.hidden = true;
  fill(box);
  if (!problem) return;
  const named = (at: string) => controls.find((c) => c.name === at.split("/").at(-1));
  const about = problem.points.filter((p) => named(p.at));
  for (const p of about) blame(named(p.at) as Control, p.detail);
  const rest = new Problem(problem.title, problem.detail, problem.points.filter((p) => !about.includes(p)), problem.request);
  if (about.length === 0 || rest.points.length > 0 || rest.detail !== "") {
    fill(box, ...drawProblem(rest));
    box.hidden = false;
  }
  controls.find((c) => c.getAttribute("aria-invalid") === "true")?.focus();
}

/** Not the attribute disabled: a button that is disabled loses the focus. */
function busy(button: HTMLButtonElement, on: boolean): void { button.setAttribute("aria-disabled", String(on)); }
function isBusy(button: HTMLButtonElement): boolean { return button.getAttribute("aria-disabled") === "true"; }

function blame(control: Control, text: string): void {
  const line = control.parentElement?.querySelector(".wrong");
  if (line) line.textContent = text;
  if (text) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

/** A button that asks first, in its own place: the question (which begins with the label), the deed and the way out. */
export function askFirst(label: string, question: string, act: () => Promise<void>, attributes: Record<string, string> = {}): HTMLElement {
  const place = h("span", { class: "ask", ...attributes });
  const first = h("button", { type: "button", class: "small", "aria-label": question, onclick: () => ask() }, label);
  const back = () => {
    fill(place, first);
    first.focus();
  };
  const ask = () => {
    const wrong = h("span", { role: "alert" });
    const deed = async (): Promise<void> => {
      if (isBusy(yes)) return;
      busy(yes, true);
      try {
        await act();
      } catch (cause) {
        busy(yes, false);
        const { title, detail, points } = problemFrom(cause);
        wrong.textContent = [title, detail, ...points.map((p) => p.detail)].filter((part) => part !== "").join(" ");
      }
    };
    const yes = h("button", { type: "button", class: "small danger", onclick: () => void deed() }, label);
    const no = h("button", { type: "button", class: "small", onclick: back }, t("form.cancel"));
    const escape = (event: Event) => {
      if ((event as KeyboardEvent).key !== "Escape") return;
      event.preventDefault(); // the dialog stays
      event.stopPropagation();
      back();
    };
    fill(place, h("span", { class: "question", role: "group", "aria-label": question, onkeydown: escape }, h("span", {}, question), yes, no, wrong));
    no.focus();
  };
  fill(place, first);
  return place;
}
