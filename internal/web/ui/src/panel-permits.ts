// The tab of proposals: one's own, and for officers, approvers and agencies what waits for them.
import { api, request, type Description, type GeoFeature, type Link } from "./api";
import { calendarWarning } from "./dialog-calendar";
import { fill, h } from "./dom";
import { field, form } from "./forms";
import { formatDay, say, t } from "./i18n";
import { organisations, organisationText } from "./organisations";
import { attempt } from "./notices";
import { fileRows, files } from "./permit-filing";
import { PermitCard } from "./permit-card";
import { deadline, filedLayers, isStaff, listPermits, pathOf, proposals, stateBadge, waitsForMe, type Permit } from "./permits";
import { fillWith } from "./section";
import { session } from "./session";
import type { MapView } from "./map";

const views = ["waiting", "overdue", "open", "all"] as const;
type View = (typeof views)[number];

export class PermitsPanel {
  readonly element = h("div", { class: "permits" });
  private readonly filters = h("div");
  private readonly list = h("div", { id: "permits" });
  private readonly drafts = h("details", { class: "filing" });
  private readonly card: PermitCard;
  /** Who files looks after what is under way, others see first what waits for them. */
  private view: View = filedLayers.some(files) ? "open" : "waiting";
  /** What else is chosen, by the parameter of the list; "" is all. */
  private readonly chosen = { organisation: "", territory: "" };
  private found: Permit[] = [];
  private next: string | undefined;

  constructor(private readonly description: Description, map: MapView) {
    this.card = new PermitCard(description, map, () => this.load());
    this.element.append(this.filters, this.list, this.drafts);
    this.drafts.addEventListener("toggle", () => { if (this.drafts.open) void this.showDrafts(); });
  }

  render(): void {
    fill(this.drafts);
    this.drafts.open = false;
    if (!session().signed_in) return;
    const chosen = (event: Event) => {
      this.view = (event.target as HTMLSelectElement).value as View;
      void this.load();
    };
    const warned = h("div");
    if (isStaff()) void calendarWarning().then((said) => fill(warned, said));
    fill(this.filters, h("p", { class: "intro" }, t("permits.intro")), warned,
      h("div", { class: "field" }, h("label", { for: "permits-view" }, t("permits.view")),
        h("select", { id: "permits-view", onchange: chosen }, ...views.map((v) => h("option", { value: v, selected: v === this.view }, t(`permits.view.${v}`))))),
      isStaff() && this.filter("organisation", t("permit.organisation"), t("permits.everybody"), operators),
      isStaff() && this.filter("territory", t("permits.territory"), t("grant.everywhere"), districts));
    this.drafts.hidden = !filedLayers.some(files);
    fill(this.drafts, h("summary", {}, t("permits.fileDrafts")));
    this.drawList();
  }

  /** Asks for the list again and draws it. */
  async load(): Promise<void> {
    await fillWith(this.list, async () => {
      await this.more([], undefined);
      return [this.table()];
    });
  }

  /** Opens one, and says what has just been done. */
  open(id: number, said: string): Promise<void> { return this.card.open(id, said); }

  /** Reads on behind what is there, until there is something to show or nothing more. */
  private async more(found: Permit[], next: string | undefined): Promise<void> {
    const query = { ...(this.view === "overdue" && { overdue: "true" }), ...Object.fromEntries(Object.entries(this.chosen).filter(([, value]) => value !== "")) };
    const before = this.shown(found).length;
    do {
      const page = await listPermits(query, next);
      found = [...found, ...page.list];
      next = page.next;
    } while (next && this.shown(found).length === before);
    [this.found, this.next] = [found, next];
  }

  private shown(found: Permit[]): Permit[] {
    switch (this.view) {
      case "waiting": return found.filter(waitsForMe);
      case "open": return found.filter((p) => ["filed", "more_asked", "supplemented", "consulting", "approved"].includes(p.state));
      default: return found;
    }
  }

  private drawList(): void { fill(this.list, this.table()); }

  private table(): HTMLElement {
    const shown = this.shown(this.found);
    const again = async () => {
      const last = shown.length;
      await this.more(this.found, this.next);
      this.drawList();
      this.list.querySelectorAll<HTMLElement>("button.permit")[last]?.focus();
    };
    return h("div", {},
      shown.length === 0 && h("p", { class: "none" }, t(`permits.none.${this.view}`)),
      h("ul", { class: "permitlist" }, ...shown.map((p) => this.entry(p))),
      this.next !== undefined && form({ class: "plain", submit: t("permits.more"), act: again }));
  }

  private entry(p: Permit): HTMLElement {
    return h("li", { "data-permit": p.id, "data-state": p.state },
      h("button", { type: "button", class: "permit", onclick: () => void this.card.open(p.id) },
        h("strong", {}, p.title), h("span", {}, organisationText(p.organisation), " · ", t("permit.filed", { date: formatDay(p.filed_at) })),
        h("span", {}, stateBadge(p.state), " ", deadline(p))));
  }

  /** A choice among what is asked for when it is drawn; where there is nothing to choose it is not there. */
  private filter(name: "organisation" | "territory", label: string, all: string, options: () => Promise<(readonly [string, string])[]>): HTMLElement {
    const control = h("select", { id: `permits-${name}`, onchange: () => { this.chosen[name] = control.value; void this.load(); } }, h("option", { value: "" }, all));
    const whole = h("div", { class: "field", hidden: true }, h("label", { for: control.id }, label), control);
    void attempt(async () => {
      const found = await options();
      control.append(...found.map(([code, text]) => h("option", { value: code, selected: code === this.chosen[name] }, `${text} (${code})`)));
      whole.hidden = found.length === 0;
    });
    return whole;
  }

  /** The drafts of one's organisation, to be filed together. */
  private async showDrafts(): Promise<void> {
    const place = h("div");
    fill(this.drafts, h("summary", {}, t("permits.fileDrafts")), place);
    await fillWith(place, async () => {
      const rows = await draftsToFile();
      if (rows.length === 0) return [h("p", { class: "none" }, t("permits.noDrafts"))];
      const boxes = rows.map((row, i) => h("input", { type: "checkbox", id: `draft-${i}`, value: `${row.collection}/${row.id}` }));
      const title = (name: string) => say(this.description.layers.find((l) => l.name === name)?.title);
      return [form({
        id: "file-drafts", submit: t("file.do"),
        act: async (values) => {
          const chosen = rows.filter((_, i) => boxes[i]?.checked).map(({ collection, id }) => ({ collection, id }));
          const id = await fileRows(values["title"] ?? "", chosen);
          this.drafts.open = false;
          fill(this.drafts, h("summary", {}, t("permits.fileDrafts"))); // what has been filed is offered no more
          await Promise.all([this.load(), this.open(id, t("file.done"))]);
        },
      }, field("drafts-title", t("file.title"), h("input", { name: "title", required: true, maxlength: 300, autocomplete: "off" })),
      h("fieldset", {}, h("legend", {}, t("permits.drafts")), h("ul", { class: "choices one" }, ...rows.map((row, i) =>
        h("li", {}, boxes[i] as HTMLInputElement, h("label", { for: `draft-${i}` }, `${row.code} · ${title(row.collection)}`))))))];
    });
  }
}

async function operators(): Promise<(readonly [string, string])[]> {
  return (await organisations()).filter((o) => o.kind === "operator").map((o) => [o.code, say(o.name)] as const);
}

async function districts(): Promise<(readonly [string, string])[]> {
  const { features } = await request<{ features: GeoFeature[] }>(`${api}/collections/districts/items?limit=1000&properties=code,name`);
  return features.map((f) => [String(f.properties["code"]), String(f.properties["name"])] as const).sort((a, b) => a[1].localeCompare(b[1], "vi"));
}

interface DraftRow { collection: string; id: number; code: string }

/** The drafts of one's organisation that are in no open proposal: all of them. */
async function draftsToFile(): Promise<DraftRow[]> {
  const found: DraftRow[] = [];
  for (let next: string | undefined = `${proposals}/drafts?limit=1000`; next;) {
    const page: { drafts: DraftRow[]; links: Link[] } = await request(next);
    found.push(...page.drafts);
    next = pathOf(page.links.find((l) => l.rel === "next")?.href);
  }
  return found;
}
