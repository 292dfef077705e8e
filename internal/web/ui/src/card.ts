// The card over the map: one thing at a time, closed with its button or Escape.
import { byId, fill, h } from "./dom";
import { t } from "./i18n";

/** What the card shows; draw is called again when the language changes. */
interface Content { title: () => string; draw: () => (Node | null | false)[]; closed?: () => void; kind: string }

let shown: Content | null = null;

export function showCard(content: Content): void {
  if (shown && shown.kind !== content.kind) shown.closed?.();
  shown = content;
  renderCard();
  byId("card").scrollTop = 0;
}

export function closeCard(): void {
  const closing = shown;
  shown = null;
  closing?.closed?.();
  renderCard();
}

/** Draws the card again, in the language of now. */
export function renderCard(): void {
  const card = byId("card");
  card.hidden = !shown;
  card.dataset["kind"] = shown?.kind ?? "";
  if (!shown) {
    fill(card);
    return;
  }
  card.setAttribute("role", "region");
  card.setAttribute("aria-label", shown.title());
  card.setAttribute("aria-live", "polite");
  fill(card,
    h("div", { class: "cardhead" }, h("h2", {}, shown.title()),
      h("button", { type: "button", class: "icon", id: "card-close", "aria-label": t("app.close"), onclick: closeCard }, "✕")),
    ...shown.draw());
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && shown) closeCard();
});
