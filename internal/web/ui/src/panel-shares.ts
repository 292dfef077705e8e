// The tab of sharing: the requests that one has to do with, building together, and the register in figures.
import { request, type Description } from "./api";
import { fill, h } from "./dom";
import { form } from "./forms";
import { formatDate, formatNumber, language, t, word } from "./i18n";
import type { MapView } from "./map";
import { organisationText } from "./organisations";
import { deadline, stateBadge } from "./permits";
import { fillWith } from "./section";
import { session } from "./session";
import { buildTogether } from "./share-ask";
import { ShareCard } from "./share-card";
import { about, listShares, shares, shareStates, type Share } from "./shares";

interface Figures {
  year: number;
  owner: string | null;
  requests: number;
  outcomes: Record<string, number>;
  answered: number;
  answer_median_working_days: number | null;
  answer_max_working_days: number | null;
}

export class SharesPanel {
  readonly element = h("div", { class: "shares" });
  private readonly filters = h("div");
  private readonly list = h("div", { id: "shares" });
  private readonly building = h("div");
  private readonly register = h("details", { class: "filing", id: "share-register" });
  private readonly card: ShareCard;
  /** "" for all, a state, or what is late. */
  private view = "";
  private found: Share[] = [];
  private next: string | undefined;

  constructor(private readonly description: Description, map: MapView) {
    this.card = new ShareCard(description, map, () => this.load());
    this.element.append(this.filters, this.list, this.building, this.register);
    this.register.addEventListener("toggle", () => { if (this.register.open) void this.showRegister(); });
  }

  render(): void {
    this.register.open = false;
    fill(this.register, h("summary", {}, t("shares.register")));
    if (!session().signed_in) return;
    const views: [string, string][] = [["", t("shares.all")], ["overdue", t("shares.overdue")], ...shareStates.map((s): [string, string] => [s, word("share.state", s)])];
    const choose = (event: Event) => {
      this.view = (event.target as HTMLSelectElement).value;
      void this.load();
    };
    fill(this.filters, h("p", { class: "intro" }, t("shares.intro")), h("div", { class: "field" }, h("label", { for: "shares-view" }, t("shares.view")),
      h("select", { id: "shares-view", onchange: choose }, ...views.map(([value, text]) => h("option", { value, selected: value === this.view }, text)))));
    fill(this.building, buildTogether(this.description, (number) => void this.asked(number)));
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
  open(number: string, said = ""): Promise<void> { return this.card.open(number, said); }

  /** Shows a request that has just been made. */
  async asked(number: string): Promise<void> {
    this.building.querySelector("form")?.reset();
    await Promise.all([this.load(), this.open(number, t("share.ask.done"))]);
  }

  private async more(found: Share[], next: string | undefined): Promise<void> {
    const query: Record<string, string> = this.view === "overdue" ? { overdue: "true" } : this.view ? { state: this.view } : {};
    const page = await listShares(query, next);
    [this.found, this.next] = [[...found, ...page.list], page.next];
  }

  private drawList(): void { fill(this.list, this.table()); }

  private table(): HTMLElement {
    const again = async () => {
      const last = this.found.length;
      await this.more(this.found, this.next);
      this.drawList();
      this.list.querySelectorAll<HTMLElement>("button.permit")[last]?.focus();
    };
    return h("div", {},
      this.found.length === 0 && h("p", { class: "none" }, t("shares.none")),
      h("ul", { class: "permitlist" }, ...this.found.map((s) => this.entry(s))),
      this.next !== undefined && form({ class: "plain", submit: t("permits.more"), act: again }));
  }

  private entry(s: Share): HTMLElement {
    return h("li", { "data-share": s.number, "data-state": s.state },
      h("button", { type: "button", class: "permit", onclick: () => void this.card.open(s.number) },
        h("strong", {}, about(s, this.description)),
        h("span", {}, organisationText(s.asker), " → ", ...s.partners.flatMap((p, i) => [i > 0 && ", ", organisationText(p.organisation)]), " · ", t("share.of", { date: formatDate(s.asked_on) })),
        h("span", {}, stateBadge(s.state, "share.state"), " ", s.due_on !== null && deadline({ ...s, expires_on: null }))));
  }

  private async showRegister(): Promise<void> {
    const place = h("div");
    fill(this.register, h("summary", {}, t("shares.register")), place);
    await fillWith(place, async () => {
      const { figures } = await request<{ figures: Figures[] }>(`${shares}/figures`);
      if (figures.length === 0) return [h("p", { class: "none" }, t("shares.noFigures"))];
      const page = `${shares}/figures?${new URLSearchParams({ f: "html", lang: language() }).toString()}`;
      return [...figures.flatMap(counted), h("p", {}, h("a", { id: "shares-page", href: page, target: "_blank", rel: "noopener" }, t("shares.page")))];
    });
  }
}

/** The counts of a year, and of one who was asked where these are named. */
function counted(f: Figures): HTMLElement[] {
  const rows: [string, string][] = [[t("shares.requests"), formatNumber(f.requests, 0)],
    ...shareStates.filter((s) => f.outcomes[s]).map((s): [string, string] => [`– ${word("share.state", s)}`, formatNumber(f.outcomes[s] ?? 0, 0)]),
    [t("shares.answered"), formatNumber(f.answered, 0)], [t("shares.days"), days(f)]];
  return [h("h4", {}, String(f.year), f.owner !== null && " · ", f.owner !== null && organisationText(f.owner)),
    h("table", { class: "attributes" }, h("tbody", {}, ...rows.map(([title, value]) => h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, value)))))];
}

function days(f: Figures): string {
  const { answer_median_working_days: median, answer_max_working_days: most } = f;
  return median === null || most === null ? "—" : t("shares.days.of", { median: formatNumber(median, 1), most: formatNumber(most, 0) });
}
