// A layer as a file: the formats that the server offers, asked for when the menu is opened.
import { api, request, type Link } from "./api";
import { fill, h } from "./dom";
import { t } from "./i18n";
import { attempt } from "./notices";

export function downloadMenu(collection: string): HTMLElement {
  const list = h("ul", {});
  const menu = h("details", { class: "download", ontoggle: () => void attempt(show) },
    h("summary", { title: t("layers.download"), "aria-label": t("layers.download") }, "↓"), list);
  async function show(): Promise<void> {
    if (!menu.open || list.childElementCount > 0) return;
    const { links } = await request<{ links: Link[] }>(`${api}/collections/${collection}`);
    fill(list, ...links.filter((l) => l.rel === "enclosure").map((l) => {
      const { pathname, search } = new URL(l.href); // of the server that made the page, by whatever name
      return h("li", {}, h("a", { href: pathname + search, download: true }, l.title ?? l.type ?? ""));
    }));
  }
  return menu;
}
