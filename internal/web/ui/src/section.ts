// What the sections of the dialog share: loading with a second try, tables, and what they are told.
import type { LayerInfo } from "./api";
import { fill, h } from "./dom";
import { t } from "./i18n";
import { drawProblem, problemFrom } from "./notices";

/** What a section is given. */
export interface Context {
  layers: LayerInfo[];
  /** Says that something was done; "" takes it away. */
  done: (text: string) => void;
  /** To be called when what was changed may be about the one signed in. */
  changedSelf: () => Promise<void>;
}

/** One tab of the dialog: show asks the server and draws. */
export interface Section { readonly element: HTMLElement; show: () => Promise<void> }

/** A table that a phone shows as blocks; the roles say that it stays a table. */
export function table(caption: string, heads: string[], rows: { id: string | number; class?: string | undefined; cells: (Node | string)[] }[]): HTMLElement {
  return h("table", { class: "rows", role: "table", "aria-label": caption },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads.map((head) => h("th", { scope: "col", role: "columnheader" }, head)))),
    h("tbody", { role: "rowgroup" }, ...rows.map((row) => h("tr", { role: "row", "data-id": row.id, class: row.class },
      ...row.cells.map((cell, i) => h("td", { role: "cell", "data-label": heads[i] }, typeof cell === "string" ? h("span", {}, cell) : cell))))));
}

/** What each element is being filled with. */
const turns = new WeakMap<HTMLElement, symbol>();

/** Fills an element with what draw returns; meanwhile it says so, and a failure can be tried again. */
export async function fillWith(element: HTMLElement, draw: () => Promise<(Node | string | false | null)[]>): Promise<void> {
  const turn = Symbol();
  turns.set(element, turn);
  fill(element, h("p", { class: "loading" }, t("app.loading")));
  try {
    const drawn = await draw();
    if (turns.get(element) === turn) fill(element, ...drawn);
  } catch (cause) {
    if (turns.get(element) !== turn) return; // something else was asked for meanwhile
    fill(element, h("div", { class: "problem", role: "alert" }, ...drawProblem(problemFrom(cause))),
      h("button", { type: "button", class: "small", onclick: () => void fillWith(element, draw) }, t("app.retry")));
  }
}

/** A heading that takes the focus when what had it is gone. */
export function heading(text: string): HTMLElement { return h("h3", { tabindex: -1 }, text); }
