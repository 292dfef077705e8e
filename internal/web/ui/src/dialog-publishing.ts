// The section that says how exactly a province lets the public see its sites.
import { api, Problem, request, unitName, type Page } from "./api";
import { h } from "./dom";
import { field, form, select } from "./forms";
import { formatNumber, t } from "./i18n";
import { fillWith, heading, type Context, type Section } from "./section";

const choices = ["exact", "rounded", "hidden"] as const;
interface Publication { jurisdiction: string; exactness: (typeof choices)[number]; cell_degrees: number | null }

/** A kilometre or so: what a form starts with. */
const usualCell = 0.01;
const kilometresPerDegree = 111.3;

export class PublishingSection implements Section {
  readonly element = h("div");

  constructor(private readonly context: Context) {}

  show(): Promise<void> {
    return fillWith(this.element, async () => {
      const { publications } = await request<{ publications: Publication[] }>(`${api}/publications`);
      const mapped = await request<Page>(`${api}/collections/provinces/items?limit=100`);
      const codes = [...publications.map((p) => p.jurisdiction), ...mapped.features.map((f) => String(f.properties["code"]))];
      const forms = await Promise.all([...new Set(codes)].sort().map(async (code) =>
        this.form(code, await unitName("provinces", code), publications.find((p) => p.jurisdiction === code))));
      return [heading(t("account.tab.publishing")), h("p", { class: "intro" }, t("publishing.intro")), ...forms];
    });
  }

  private form(code: string, name: string, now: Publication | undefined): HTMLElement {
    const chosen = select("exactness", [...(now ? [] : [["", t("publishing.unset")] as const]), ...choices.map((c) => [c, t(`publishing.${c}`)] as const)], now?.exactness ?? "");
    chosen.required = true;
    const cell = h("input", { name: "cell_degrees", type: "number", min: 0, step: "any", inputmode: "decimal", autocomplete: "off", value: now?.cell_degrees ?? usualCell });
    const about = h("small", { class: "help", role: "status" });
    const size = field(`publishing-cell-${code}`, t("publishing.cell"), cell, about);
    const follow = () => {
      size.hidden = chosen.value !== "rounded";
      about.textContent = cell.valueAsNumber > 0 ? t("publishing.about", { km: formatNumber(cell.valueAsNumber * kilometresPerDegree, 2) }) : "";
    };
    chosen.addEventListener("change", follow);
    cell.addEventListener("input", follow);
    follow();
    const title = name ? `${name} (${code})` : code;
    return h("section", { "data-jurisdiction": code }, h("h3", {}, title), form({
      submit: t("form.save"),
      act: async () => {
        const rounded = chosen.value === "rounded";
        if (rounded && !(cell.valueAsNumber > 0)) throw new Problem(t("error.title"), "", [{ at: "/cell_degrees", detail: t("publishing.badCell") }]);
        const body = { exactness: chosen.value, cell_degrees: rounded ? cell.valueAsNumber : null };
        await request(`${api}/publications/${encodeURIComponent(code)}`, { method: "PUT", body });
        chosen.querySelector('option[value=""]')?.remove();
        this.context.done(t("publishing.saved", { name: title }));
      },
    }, h("div", { class: "pair" }, field(`publishing-exactness-${code}`, t("publishing.exactness"), chosen), size)));
  }
}
