// Verdicts and decisions as papers: to be printed, or read as a page.
import { api } from "./api";
import { h } from "./dom";
import { language, t } from "./i18n";

/** The ways to the paper of a recorded verdict or of a decision, by its number. */
export function paperLinks(of: "verdicts" | "decisions", number: string): HTMLElement {
  const link = (f: "pdf" | "html", text: string) =>
    h("a", { href: `${api}/${of}/${encodeURIComponent(number)}?f=${f}&lang=${language()}`, target: "_blank", rel: "noopener", "data-paper": f }, text);
  return h("span", { class: "papers" }, link("pdf", t("paper.pdf")), " · ", link("html", t("paper.html")));
}
