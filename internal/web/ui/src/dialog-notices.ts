// The section of notices: what became of each, and sending again what failed.
import { api, request, type Link } from "./api";
import { h } from "./dom";
import { field, form, select } from "./forms";
import { formatTime, t, word } from "./i18n";
import { pathOf } from "./permits";
import { fillWith, heading, table, type Context, type Section } from "./section";

const states = ["failed", "waiting", "delivered", "dropped"] as const;

interface Sent {
  id: number;
  proposal: number | null;
  sharing_request: string | null;
  kind: string;
  made_at: string;
  person: string | null;
  organisation: string | null;
  state: (typeof states)[number];
  attempts: number;
  error: string | null;
}

export class NoticesSection implements Section {
  readonly element = h("div");
  /** What failed is what there is to do something about. */
  private state = "failed";

  constructor(private readonly context: Context) {}

  show(): Promise<void> {
    return fillWith(this.element, async () => {
      const list = h("div");
      const chosen = select("state", [...states.map((s) => [s, t(`notices.state.${s}`)] as const), ["", t("notices.all")]], this.state);
      chosen.addEventListener("change", () => {
        this.state = chosen.value;
        this.context.done("");
        void this.load(list);
      });
      await this.load(list);
      return [heading(t("account.tab.notices")), h("p", { class: "intro" }, t("notices.intro")), field("notices-state", t("notices.state"), chosen), list];
    });
  }

  private load(list: HTMLElement): Promise<void> {
    return fillWith(list, async () => {
      const page = await this.page(undefined);
      return page.length > 0 ? page : [h("p", { class: "none" }, t("notices.none"))];
    });
  }

  /** One page, and behind it what fetches the next. */
  private async page(from: string | undefined): Promise<HTMLElement[]> {
    const { notices, links } = await request<{ notices: Sent[]; links: Link[] }>(from ?? `${api}/notices${this.state ? `?state=${this.state}` : ""}`);
    if (notices.length === 0) return [];
    const heads = [t("notices.made"), t("notices.about"), t("notices.to"), t("notices.state"), ""];
    const shown = table(t("account.tab.notices"), heads, notices.map((n) => ({ id: n.id, cells: [
      h("time", { datetime: n.made_at }, formatTime(n.made_at)), about(n), n.person ?? t("notices.webhook", { name: n.organisation ?? "" }), outcome(n), this.again(n),
    ] })));
    const next = pathOf(links.find((l) => l.rel === "next")?.href);
    if (!next) return [shown];
    const more: HTMLFormElement = form({ class: "plain", submit: t("permits.more"), act: async () => more.replaceWith(...await this.page(next)) });
    return [shown, more];
  }

  private again(n: Sent): HTMLElement {
    const place = h("span");
    const send = async () => {
      await request(`${api}/notices/${n.id}/attempts`, { method: "POST" });
      place.replaceChildren(t("notices.state.waiting"));
      this.context.done(t("notices.again.done"));
    };
    if (n.state === "failed") place.append(form({ class: "inline", submit: t("notices.again"), act: send }));
    return place;
  }
}

/** A notice leads to what it is about. */
function about(n: Sent): HTMLElement {
  const [hash, text] = n.proposal !== null ? [`#proposal=${n.proposal}`, String(n.proposal)] : [`#sharing=${n.sharing_request ?? ""}`, n.sharing_request ?? ""];
  return h("span", {}, word("notices.kind", n.kind), " · ", h("a", { href: `/${hash}`, target: "_blank", rel: "noopener" }, text));
}

function outcome(n: Sent): HTMLElement {
  return h("span", {}, t(`notices.state.${n.state}`), n.attempts > 0 && h("span", { class: "kind" }, ` · ${t("notices.attempts", { n: n.attempts })}`), n.error && n.state !== "delivered" && h("p", { class: "said" }, n.error));
}
