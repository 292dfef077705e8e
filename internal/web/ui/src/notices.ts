// What went wrong, shown to the person until closed.
import { Problem } from "./api";
import { byId, h } from "./dom";
import { t } from "./i18n";

/** What was thrown as a Problem; what is none is a fault of the page and goes to the console too. */
export function problemFrom(cause: unknown): Problem {
  if (cause instanceof Problem) return cause;
  console.error(cause);
  return new Problem(t("error.title"), String(cause));
}

/** A problem in words: its title, what to do, and where. */
export function drawProblem(problem: Problem): (Node | string | false)[] {
  return [
    h("strong", {}, problem.title),
    problem.detail !== "" && h("p", {}, problem.detail),
    problem.points.length > 0 && h("ul", {}, ...problem.points.map(({ at, detail }) => h("li", {}, at ? `${at}: ${detail}` : detail))),
    problem.request !== "" && h("small", {}, t("error.request", { id: problem.request })),
  ];
}

/** Shows a failure once. */
export function notify(cause: unknown): void {
  const problem = problemFrom(cause);
  const holder = byId("notices");
  for (const old of holder.querySelectorAll<HTMLElement>(".notice")) {
    if (old.dataset["text"] === problem.message) old.remove();
  }
  const notice = h("div", { class: "notice", "data-text": problem.message },
    h("div", {}, ...drawProblem(problem)),
    h("button", { type: "button", class: "icon", "aria-label": t("app.close"), onclick: () => notice.remove() }, "✕"));
  holder.append(notice);
}

/** Takes the failures of the task before away. */
export function clearNotices(): void { byId("notices").replaceChildren(); }

/** Runs something and shows its failure. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    notify(cause);
  }
}
