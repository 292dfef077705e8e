// The search box of the bar: a combobox (WAI-ARIA) whose list is what the API finds.
import { api, request, type LayerInfo } from "./api";
import { fill, h } from "./dom";
import { say, t } from "./i18n";
import { attempt } from "./notices";

interface Unit { code: string; name: string }
export interface Hit { collection: string; id: number; code: string; name: string | null; unit: { commune: Unit | null; district: Unit | null } }
interface Found { hits: Hit[]; more: boolean }

/** How many hits are listed. */
const shownHits = 8;
/** How long nobody types before it is searched, ms. */
const pause = 150;

/** The box keeps what was typed when the page changes its language. */
export class SearchBox {
  private readonly input = h("input", {
    type: "search", id: "search", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: 200,
    "aria-expanded": "false", "aria-controls": "search-hits", "aria-autocomplete": "list",
    oninput: () => this.wait(), onkeydown: (event) => this.key(event as KeyboardEvent), onblur: () => this.close(), onfocus: () => this.wait(),
  });
  private readonly list = h("ul", { id: "search-hits", role: "listbox", hidden: true });
  private readonly status = h("div", { class: "unseen", role: "status" });
  private hits: Hit[] = [];
  private active = -1;
  private timer: number | undefined;
  private loading: AbortController | undefined;

  constructor(private readonly layers: Map<string, LayerInfo>, private readonly choose: (hit: Hit) => Promise<void>) {}

  element(): HTMLElement {
    this.input.setAttribute("placeholder", t("search.label"));
    this.input.setAttribute("aria-label", t("search.label"));
    this.list.setAttribute("aria-label", t("search.label"));
    this.close();
    return h("div", { class: "search" }, this.input, this.list, this.status);
  }

  private wait(): void {
    window.clearTimeout(this.timer);
    this.loading?.abort();
    this.timer = window.setTimeout(() => void attempt(() => this.find()), pause);
  }

  private async find(): Promise<void> {
    const text = this.input.value.trim();
    if (text === "") {
      this.close();
      return;
    }
    const loading = new AbortController();
    this.loading = loading;
    try {
      const found = await request<Found>(`${api}/search?${new URLSearchParams({ q: text, limit: String(shownHits) }).toString()}`, { signal: loading.signal });
      if (!loading.signal.aborted && document.activeElement === this.input) this.show(found);
    } catch (cause) {
      if (!loading.signal.aborted) throw cause; // else it was typed on
    }
  }

  private show(found: Found): void {
    this.hits = found.hits;
    const note = found.hits.length === 0 ? t("search.none") : found.more ? t("search.more") : "";
    fill(this.list, ...found.hits.map((hit, i) => this.option(hit, i)), note && h("li", { class: "said", role: "presentation" }, note));
    fill(this.status, found.hits.length === 0 ? note : t("search.hits", { n: found.hits.length }));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark(found.hits.length > 0 ? 0 : -1);
  }

  private option(hit: Hit, i: number): HTMLElement {
    const where = [hit.unit.commune?.name, hit.unit.district?.name].filter((name) => name);
    return h("li", {
      role: "option", id: `search-hit-${i}`, "data-collection": hit.collection, "data-id": hit.id,
      // The box keeps the focus, or the list would be gone before the click.
      onmousedown: (event) => event.preventDefault(), onclick: () => this.take(i),
    }, h("strong", {}, hit.name ?? hit.code), h("span", {}, [say(this.layers.get(hit.collection)?.title), ...where].filter((part) => part).join(" · ")));
  }

  private mark(i: number): void {
    this.active = i;
    this.list.querySelectorAll('[role="option"]').forEach((option, n) => option.setAttribute("aria-selected", String(n === i)));
    const active = document.getElementById(`search-hit-${i}`);
    active?.scrollIntoView({ block: "nearest" });
    if (active) this.input.setAttribute("aria-activedescendant", active.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation(); // the card stays
      event.preventDefault(); // and so does the text
      this.close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.take(this.active);
    } else if (step && this.list.hidden) {
      event.preventDefault();
      this.wait();
    } else if (step && this.hits.length > 0) {
      event.preventDefault();
      this.mark((this.active + step + this.hits.length) % this.hits.length);
    }
  }

  private take(i: number): void {
    const hit = this.hits[i];
    if (this.list.hidden || !hit) return;
    this.close();
    void attempt(() => this.choose(hit));
  }

  private close(): void {
    window.clearTimeout(this.timer);
    this.loading?.abort();
    this.list.hidden = true;
    this.hits = [];
    fill(this.status);
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
