// The section of API keys: one's own, a new one that is shown once, and revoking.
import { api, Problem, request } from "./api";
import { fill, h } from "./dom";
import { askFirst, field, form } from "./forms";
import { grantList, grantText, type Grant } from "./grants";
import { dayOf, endOfDay, formatTime, t } from "./i18n";
import { fillWith, heading, table, type Context, type Section } from "./section";
import { session } from "./session";

interface ApiKey {
  id: string;
  name: string;
  person: number | null;
  grants: Grant[];
  created_by: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

export class KeysSection implements Section {
  readonly element: HTMLElement;
  private readonly list = h("div");
  private readonly fresh = h("div");
  private readonly making = h("div");
  /** The id of the key that is shown. */
  private shown = "";

  constructor(private readonly context: Context) {
    this.element = h("div", {}, this.fresh, this.list, this.making);
  }

  async show(): Promise<void> {
    fill(this.fresh);
    fill(this.making, h("section", {}, h("h3", {}, t("keys.create")), this.creation()));
    await this.load();
  }

  private load(): Promise<void> {
    return fillWith(this.list, async () => {
      const { keys } = await request<{ keys: ApiKey[] }>(`${api}/keys`);
      const sorted = keys.sort((a, b) => Number(usable(b)) - Number(usable(a)) || b.created_at.localeCompare(a.created_at));
      const own = sorted.filter(isOwn);
      const others = sorted.filter((k) => !isOwn(k));
      return [
        heading(t("keys.own")), own.length > 0 ? this.table(t("keys.own"), own) : h("p", { class: "intro" }, t("keys.none")),
        ...(others.length > 0 ? [h("h3", {}, t("keys.others")), this.table(t("keys.others"), others)] : []),
      ];
    });
  }

  private table(caption: string, keys: ApiKey[]): HTMLElement {
    const heads = [t("keys.name"), t("person.grants"), t("keys.created"), t("keys.expires"), t("keys.state"), t("form.actions")];
    return table(caption, heads, keys.map((key) => ({
      id: key.id, class: usable(key) ? undefined : "faded",
      cells: [
        h("div", {}, h("strong", {}, key.name), h("small", {}, isOwn(key) ? key.id : `${key.id} · ${key.created_by}`)),
        grantList(key.grants, this.context.layers), time(key.created_at), key.expires_at ? time(key.expires_at) : t("keys.never"),
        h("span", { class: "short" }, t(`keys.state.${stateOf(key)}`)), key.revoked_at ? "—" : this.revocation(key),
      ],
    })));
  }

  private revocation(key: ApiKey): HTMLElement {
    return askFirst(t("keys.revoke"), t("keys.revoke.question", { name: key.name }), async () => {
      await request(`${api}/keys/${encodeURIComponent(key.id)}`, { method: "DELETE" });
      if (this.shown === key.id) fill(this.fresh);
      this.context.done(t("keys.revoked", { name: key.name }));
      await this.load();
      this.list.querySelector<HTMLElement>("h3")?.focus();
    });
  }

  private creation(): HTMLElement {
    const { grants } = session();
    const boxes = grants.map((_, i) => h("input", { type: "checkbox", id: `key-grant-${i}`, checked: grants.length === 1 }));
    const name = h("input", { name: "name", autocomplete: "off", required: true });
    const until = h("input", { name: "expires_at", type: "date", min: dayOf(new Date()) });
    const creation = form({
      id: "key-create", submit: t("keys.create"),
      act: async (values) => {
        const chosen = grants.filter((_, i) => boxes[i]?.checked).map(({ role, layers, territory }) => ({ role, layers, territory }));
        if (chosen.length === 0) throw new Problem(t("error.title"), t("keys.noGrant"));
        const end = values["expires_at"] ? { expires_at: endOfDay(values["expires_at"]) } : {};
        const made = await request<{ id: string; key: string }>(`${api}/keys`, { body: { name: values["name"], grants: chosen, ...end } });
        creation.reset();
        this.context.done("");
        this.shown = made.id;
        this.showOnce(values["name"] ?? "", made.key);
        await this.load();
      },
    },
    h("div", { class: "pair" }, field("key-name", t("keys.name"), name, h("small", { class: "help" }, t("keys.name.help"))),
      field("key-expires", t("keys.expires.optional"), until, h("small", { class: "help" }, t("keys.expires.help")))),
    h("fieldset", {}, h("legend", {}, t("keys.grants")), h("ul", { class: "choices one" }, ...grants.map((grant, i) =>
      h("li", {}, boxes[i], h("label", { for: `key-grant-${i}` }, grantText(grant, this.context.layers)))))));
    return grants.length > 0 ? creation : h("p", { class: "intro" }, t("keys.mayNot"));
  }

  /** The key itself, this once: it is gone when the section or the dialog is left. */
  private showOnce(name: string, key: string): void {
    const text = h("input", { id: "key-once", readonly: true, value: key, autocomplete: "off", spellcheck: "false", "aria-describedby": "key-once-help", onfocus: () => text.select() });
    const said = h("span", { role: "status" });
    const copy = async (): Promise<void> => {
      try {
        await navigator.clipboard.writeText(key);
        said.textContent = t("keys.copied");
      } catch {
        // No clipboard without HTTPS, or it is forbidden: the person copies himself.
        text.focus();
        said.textContent = t("keys.copyYourself");
      }
    };
    const button = h("button", { type: "button", class: "small", id: "key-copy", onclick: () => void copy() }, t("keys.copy"));
    fill(this.fresh, h("div", { class: "once" }, h("label", { for: "key-once" }, t("keys.once", { name })),
      h("div", { class: "pair" }, text, button), h("p", { id: "key-once-help" }, t("keys.once.help")), said));
    button.focus();
    this.fresh.scrollIntoView({ block: "nearest" });
  }
}

function time(iso: string): HTMLElement { return h("time", { datetime: iso }, formatTime(iso)); }

function isOwn(key: ApiKey): boolean { return key.person !== null && key.person === session().person?.id; }

function stateOf(key: ApiKey): "active" | "expired" | "revoked" {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= Date.now() ? "expired" : "active";
}

function usable(key: ApiKey): boolean { return stateOf(key) === "active"; }
