// What went wrong, shown to the person until closed.
import { Problem } from "./api";
import { byId, h } from "./dom";
import { t } from "./i18n";

/** Shows a failure once; what is no Problem is a fault of the page and goes to the console too. */
export function notify(cause: unknown): void {
  const problem = cause instanceof Problem ? cause : new Problem(t("error.title"), String(cause));
  if (!(cause instanceof Problem)) console.error(cause);
  const holder = byId("notices");
  for (const old of holder.querySelectorAll<HTMLElement>(".notice")) {
    if (old.dataset["text"] === problem.message) old.remove();
  }
  const notice = h("div", { class: "notice", "data-text": problem.message },
    h("div", {},
      h("strong", {}, problem.title),
      problem.detail && h("p", {}, problem.detail),
      problem.points.length > 0 && h("ul", {}, ...problem.points.map((p) => h("li", {}, p))),
      problem.request && h("small", {}, t("error.request", { id: problem.request }))),
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
