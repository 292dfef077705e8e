// The section of consultations: what one's agency is asked and answers, what one has asked.
import { api, request, type LayerInfo, type Link } from "./api";
import { fill, h } from "./dom";
import { askFirst, field, form, select } from "./forms";
import { formatDate, formatTime, say, t, word } from "./i18n";
import { organisations, organisationText } from "./organisations";
import { fillWith, heading, table, type Context, type Section } from "./section";
import { session } from "./session";

interface Consultation {
  id: number;
  collection: string;
  feature: number;
  agency: string;
  state: "open" | "answered" | "withdrawn";
  asked_by: string;
  asked_at: string;
  due_on: string | null;
  answer: string | null;
  note: string | null;
  links: Link[];
}

const answers = ["agreed", "agreed_with_conditions", "objected", "no_remark"] as const;
const has = (...roles: string[]): boolean => session().grants.some((g) => roles.includes(g.role));

/** Whether consultations may concern the one signed in. */
export function consults(): boolean { return has("consulted", "officer", "approver", "administrator"); }

export class ConsultationsSection implements Section {
  readonly element: HTMLElement;
  private readonly list = h("div");
  private readonly asking = h("div");

  constructor(private readonly context: Context) {
    this.element = h("div", {}, this.list, this.asking);
  }

  async show(): Promise<void> {
    fill(this.asking);
    if (has("officer", "administrator")) {
      await fillWith(this.asking, async () => {
        const agencies = (await organisations()).filter((o) => o.kind === "agency");
        return [h("section", {}, h("h3", {}, t("consult.ask")), this.question(agencies.map((a) => [a.code, `${say(a.name)} (${a.code})`] as const)))];
      });
    }
    await this.load();
  }

  private load(): Promise<void> {
    return fillWith(this.list, async () => {
      const { consultations } = await request<{ consultations: Consultation[] }>(`${api}/consultations`);
      if (consultations.length === 0) return [heading(t("account.tab.consultations")), h("p", { class: "intro" }, t("consult.none"))];
      const heads = [t("consult.about"), t("consult.agency"), t("consult.due"), t("consult.state"), t("form.actions")];
      return [heading(t("account.tab.consultations")), table(t("account.tab.consultations"), heads, consultations.map((c) => ({
        id: c.id, class: c.state === "open" ? undefined : "faded",
        cells: [this.about(c), organisationText(c.agency), c.due_on ? h("time", { datetime: c.due_on }, formatDate(c.due_on)) : "—", stateText(c), this.step(c) ?? "—"],
      })))];
    });
  }

  /** The row, and who asked when. */
  private about(c: Consultation): HTMLElement {
    const title = say(this.context.layers.find((l) => l.name === c.collection)?.title) || c.collection;
    const address = c.links.find((l) => l.rel === "about")?.href;
    return h("div", {}, h("a", { href: address, target: "_blank", rel: "noopener" }, `${title} · ${c.feature}`), h("small", {}, `${formatTime(c.asked_at)} · ${c.asked_by}`));
  }

  /** What the one signed in may do about it; null for nothing. */
  private step(c: Consultation): HTMLElement | null {
    if (c.state !== "open") return null;
    if (has("consulted") && session().organisation === c.agency) return this.answer(c);
    if (!has("officer", "administrator")) return null;
    return askFirst(t("consult.withdraw"), t("consult.withdraw.question"), () => this.send(c, { state: "withdrawn" }, t("consult.withdrawn")));
  }

  private answer(c: Consultation): HTMLElement {
    const chosen = select("answer", [["", t("consult.choose")], ...answers.map((a) => [a, word("consult.answer", a)] as const)], "");
    chosen.required = true;
    return form({
      class: "answer", submit: t("consult.send"),
      act: ({ answer, note }) => this.send(c, { answer, ...(note && { note }) }, t("consult.answered")),
    }, field(`answer-${c.id}`, t("consult.answer"), chosen), field(`note-${c.id}`, t("consult.note"), h("input", { name: "note", autocomplete: "off" })));
  }

  private async send(c: Consultation, change: Record<string, unknown>, done: string): Promise<void> {
    await request(`${api}/consultations/${c.id}`, { method: "PATCH", body: change });
    this.context.done(done);
    await this.load();
    this.list.querySelector<HTMLElement>("h3")?.focus();
  }

  private question(agencies: (readonly [string, string])[]): HTMLElement {
    const layers = this.context.layers.filter(hasDrafts);
    const asked = form({
      id: "consult-ask", submit: t("consult.ask"),
      act: async ({ collection, feature, agency, due_on: due }) => {
        await request(`${api}/consultations`, { body: { collection, feature: Number(feature), agency, ...(due && { due_on: due }) } });
        asked.reset();
        this.context.done(t("consult.asked"));
        await this.load();
      },
    },
    h("div", { class: "pair" }, field("consult-collection", t("consult.collection"), select("collection", layers.map((l) => [l.name, say(l.title)] as const), "bts_sites")),
      field("consult-feature", t("feature.identity"), h("input", { name: "feature", required: true, inputmode: "numeric", pattern: "[0-9]+", autocomplete: "off" }),
        h("small", { class: "help" }, t("consult.feature.help")))),
    h("div", { class: "pair" }, field("consult-agency", t("consult.agency"), select("agency", agencies, "")),
      field("consult-due", t("consult.due"), h("input", { name: "due_on", type: "date" }))));
    return asked;
  }
}

/** The layers whose rows some do not see: the others need no asking to be seen. */
function hasDrafts(layer: LayerInfo): boolean { return layer.fields.some((f) => f.name === "status"); }

function stateText(c: Consultation): HTMLElement {
  const said = c.answer ? word("consult.answer", c.answer) : t(`consult.state.${c.state}`);
  return h("div", {}, h("span", { "data-state": c.state }, said), c.note && h("small", {}, c.note));
}
