// The section of the working calendar: its days year by year, and for who keeps it what changes them.
import { api, Problem, request, type GeoFeature } from "./api";
import { h } from "./dom";
import { askFirst, field, form, select } from "./forms";
import { formatDate, locale, say, t, type Text } from "./i18n";
import { fillWith, heading, table, type Context, type Section } from "./section";
import { session } from "./session";

interface Day { date: string; working: boolean; name: Text; source: string }
interface Sheet { jurisdiction: string; today: string; yearly_days_off: string[]; years: number[]; unknown_years: number[]; days: Day[] }
interface Changed { set: number; removed: number }

const calendar = `${api}/calendar`;

/** Whether the one signed in may keep a calendar; the territory is looked at where it is known. */
export function keepsCalendar(jurisdiction?: string): boolean {
  return session().grants.some((g) => ["officer", "administrator"].includes(g.role) && g.layers === null && (jurisdiction === undefined || !g.territory || g.territory === jurisdiction));
}

/** A calendar as it is now, and what its territory is called. */
interface Known { sheet: Sheet; name: string }

/** The calendars that there are: one as a rule, in a register of several provinces' plans one of each. */
async function known(): Promise<Known[]> {
  try {
    return [{ sheet: await request<Sheet>(calendar), name: "" }];
  } catch (cause) {
    if (!(cause instanceof Problem) || cause.status !== 400) throw cause; // 400: it must be said whose is meant
  }
  const { features } = await request<{ features: GeoFeature[] }>(`${api}/collections/provinces/items?limit=1000&skipGeometry=true&properties=code,name`);
  const found = await Promise.allSettled(features.map(async ({ properties }): Promise<Known> => {
    const code = String(properties["code"]);
    return { sheet: await request<Sheet>(`${calendar}?jurisdiction=${encodeURIComponent(code)}`), name: `${String(properties["name"] ?? code)} (${code})` };
  }));
  return found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])); // others have no plan
}

/** Says of which years the list is missing into which deadlines reach; nothing where none is, or there is no calendar. */
export async function calendarWarning(): Promise<HTMLElement | false> {
  const all = await known().catch(() => []);
  const open = all.find(({ sheet }) => sheet.unknown_years.length > 0);
  return open ? warning(open.sheet) : false;
}

function warning(sheet: Sheet): HTMLElement | false {
  return sheet.unknown_years.length > 0 && h("p", { class: "problem calendar-unknown", role: "note" }, t("calendar.unknown", { years: sheet.unknown_years.join(", ") }));
}

export class CalendarSection implements Section {
  readonly element = h("div");
  private year: number | undefined;
  /** Whose calendar is shown: the first one that the one signed in keeps, until another is chosen. */
  private jurisdiction = "";

  constructor(private readonly context: Context) {}

  show(): Promise<void> {
    return fillWith(this.element, async () => {
      const all = await known();
      const mine = all.find(({ sheet }) => sheet.jurisdiction === this.jurisdiction) ?? all.find(({ sheet }) => keepsCalendar(sheet.jurisdiction)) ?? all[0];
      if (!mine) return [heading(t("account.tab.calendar")), h("p", { class: "none" }, t("calendar.none"))];
      const now = mine.sheet;
      this.jurisdiction = now.jurisdiction;
      const year = this.year ??= now.unknown_years[0] ?? Number(now.today.slice(0, 4));
      const sheet = await request<Sheet>(`${calendar}?jurisdiction=${encodeURIComponent(this.jurisdiction)}&from=${year}-01-01&to=${year}-12-31`);
      const chosen = select("year", choices(now, year).map((y) => [String(y), String(y)] as const), String(year));
      chosen.addEventListener("change", () => {
        this.year = Number(chosen.value);
        this.context.done("");
        void this.show();
      });
      const keeps = keepsCalendar(sheet.jurisdiction);
      const off = sheet.yearly_days_off.map((d) => `${Number(d.slice(3))}/${Number(d.slice(0, 2))}`).join(", ");
      return [heading(t("account.tab.calendar")), h("p", { class: "intro" }, t("calendar.intro", { off: off || "–" })), warning(now),
        all.length > 1 && this.whose(all), field("calendar-year", t("calendar.year"), chosen), this.days(sheet, keeps), this.state(sheet, year, keeps),
        keeps && h("section", {}, h("h3", {}, t("calendar.add")), this.addition(year)), keeps && h("section", {}, h("h3", {}, t("calendar.import")), this.file())];
    });
  }

  /** The choice of a calendar where there are several. */
  private whose(all: Known[]): HTMLElement {
    const chosen = select("jurisdiction", all.map(({ sheet, name }) => [sheet.jurisdiction, name] as const), this.jurisdiction);
    chosen.addEventListener("change", () => {
      this.jurisdiction = chosen.value;
      this.year = undefined;
      this.context.done("");
      void this.show();
    });
    return field("calendar-jurisdiction", t("calendar.jurisdiction"), chosen);
  }

  private days(sheet: Sheet, keeps: boolean): HTMLElement {
    if (sheet.days.length === 0) return h("p", { class: "none" }, t("calendar.none"));
    const heads = [t("calendar.date"), t("calendar.kind"), t("calendar.called"), t("calendar.source"), ...(keeps ? [""] : [])];
    return table(t("account.tab.calendar"), heads, sheet.days.map((d) => ({ id: d.date, cells: [
      h("time", { datetime: d.date }, `${formatDate(d.date)}, ${weekday(d.date)}`), t(d.working ? "calendar.worked" : "calendar.off"), say(d.name), d.source,
      ...(keeps ? [askFirst(t("calendar.remove"), t("calendar.removeAsk", { date: formatDate(d.date) }), () => this.change({ remove: [d.date] }))] : []),
    ] })));
  }

  /** Whether the list of the year is whole, and the way to say so. */
  private state(sheet: Sheet, year: number, keeps: boolean): HTMLElement {
    const [whole, y] = [sheet.years.includes(year), String(year)];
    return h("div", {}, h("p", { id: "calendar-state" }, t(whole ? "calendar.whole" : "calendar.open", { year: y })),
      !whole && keeps && sheet.days.length > 0 && form({ id: "calendar-confirm", class: "plain", submit: t("calendar.confirm", { year: y }), act: () => this.change({ years: [year], days: sheet.days }) }));
  }

  private addition(year: number): HTMLElement {
    const text = (name: string, required: boolean, maxlength: number) => h("input", { name, required, maxlength, autocomplete: "off" });
    return form({
      id: "calendar-add", submit: t("calendar.add"),
      act: ({ date, working, vi, en, source }) => this.change({ days: [{ date, working: working === "true", name: { vi, en }, source }] }),
    }, h("div", { class: "pair" }, field("calendar-date", t("calendar.date"), h("input", { name: "date", type: "date", required: true, min: `${year}-01-01`, max: `${year}-12-31`, value: `${year}-01-01` })),
      field("calendar-kind", t("calendar.kind"), select("working", [["false", t("calendar.off")], ["true", t("calendar.worked")]], "false"))),
    h("div", { class: "pair" }, field("calendar-vi", t("calendar.name"), text("vi", true, 200)), field("calendar-en", t("calendar.nameEN"), text("en", false, 200))),
    field("calendar-source", t("calendar.source"), text("source", true, 500)));
  }

  private file(): HTMLElement {
    const chosen = h("input", { name: "file", type: "file", required: true, accept: ".csv,text/csv" });
    return form({
      id: "calendar-import", submit: t("calendar.import"),
      act: async ({ origin }) => {
        const file = chosen.files?.[0];
        if (file) await this.told(await request<Changed>(`${calendar}?${new URLSearchParams({ jurisdiction: this.jurisdiction, ...(origin && { source: origin }) }).toString()}`, { file, headers: { "Content-Type": "text/csv" } }));
      },
    }, field("calendar-file", t("calendar.file"), chosen, h("small", { class: "help" }, t("calendar.file.help"))),
    field("calendar-origin", t("calendar.source"), h("input", { name: "origin", maxlength: 500, autocomplete: "off" })));
  }

  private async change(body: object): Promise<void> { await this.told(await request<Changed>(calendar, { body: { jurisdiction: this.jurisdiction, ...body } })); }

  private async told({ set, removed }: Changed): Promise<void> {
    await this.show();
    this.context.done(t("calendar.done", { set, removed }));
  }
}

/** The years to choose from: those that are known, and some to come. */
function choices(sheet: Sheet, shown: number): number[] {
  const now = Number(sheet.today.slice(0, 4));
  return [...new Set([...sheet.years, ...sheet.unknown_years, shown, now, now + 1, now + 2])].sort((a, b) => a - b);
}

function weekday(date: string): string {
  return new Intl.DateTimeFormat(locale(), { weekday: "long", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
}
