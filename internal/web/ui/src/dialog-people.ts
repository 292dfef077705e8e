// The section of people: all of them, a new one, and one opened to be changed.
import { api, request } from "./api";
import { h } from "./dom";
import { askFirst, field, form, password, select } from "./forms";
import { grantList, GrantPicker, grantText, type Grant } from "./grants";
import { formatTime, say, t } from "./i18n";
import { organisations, organisationText, type Organisation } from "./organisations";
import { fillWith, heading, table, type Context, type Section } from "./section";
import { session } from "./session";

interface Person {
  id: number;
  login: string;
  name: string;
  email: string | null;
  organisation: string | null;
  disabled_at: string | null;
  grants: Grant[];
}

const people = `${api}/people`;

export class PeopleSection implements Section {
  readonly element = h("div");

  constructor(private readonly context: Context) {}

  show(): Promise<void> {
    return fillWith(this.element, async () => {
      const [answer, all] = await Promise.all([request<{ people: Person[] }>(people), organisations()]);
      const heads = [t("person.name"), t("person.login"), t("person.organisation"), t("person.grants"), t("person.state")];
      return [
        heading(t("account.tab.people")),
        table(t("account.tab.people"), heads, answer.people.map((p) => ({
          id: p.login, class: p.disabled_at ? "faded" : undefined,
          cells: [
            h("button", { type: "button", class: "link", onclick: () => void this.open(p.id) }, p.name), h("span", { class: "short" }, p.login), organisationText(p.organisation),
            grantList(p.grants, this.context.layers), h("span", { class: "short" }, t(p.disabled_at ? "person.disabled" : "person.active")),
          ],
        }))),
        h("section", {}, h("h3", {}, t("people.add")), this.addition(all)),
      ];
    });
  }

  private addition(all: Organisation[]): HTMLElement {
    const picker = new GrantPicker("person", this.context.layers);
    const text = (name: string, more: Record<string, string | boolean> = {}) => h("input", { name, autocomplete: "off", ...more });
    return form({
      id: "person-add", submit: t("people.add"),
      act: async ({ name, login, email, organisation, password: first }) => {
        const given = Object.entries({ email, organisation, password: first }).filter(([, value]) => value);
        const { id } = await request<{ id: number }>(people, { body: { login, name, ...Object.fromEntries(given), grants: [picker.value] } });
        this.context.done(t("people.added", { name: name ?? "" }));
        await this.open(id);
      },
    },
    h("div", { class: "pair" }, field("person-name", t("person.name"), text("name", { required: true })),
      field("person-login", t("person.login"), text("login", { required: true, autocapitalize: "none", spellcheck: "false" }))),
    h("div", { class: "pair" }, field("person-organisation", t("person.organisation"), organisationSelect(all, null)),
      field("person-email", t("person.email"), text("email", { type: "email" }))),
    field("person-password", t("person.firstPassword"), password("password", "new-password", false), h("small", { class: "help" }, t("person.firstPassword.help"))),
    picker.element);
  }

  /** Shows one person, as the server knows him now. */
  private async open(id: number): Promise<void> {
    await fillWith(this.element, async () => {
      const [person, all] = await Promise.all([request<Person>(`${people}/${id}`), organisations()]);
      return [
        h("button", { type: "button", class: "link", id: "people-back", onclick: () => void this.back(person.login) }, `‹ ${t("people.back")}`),
        heading(person.name),
        h("p", { class: "intro" }, `${person.login} · `, person.disabled_at ? t("person.disabledSince", { time: formatTime(person.disabled_at) }) : t("person.active"), " ", this.disabling(person)),
        h("section", {}, h("h3", {}, t("person.grants")), this.grantsOf(person), this.granting(person)),
        h("section", {}, h("h3", {}, t("people.details")), this.details(person, all)),
        h("section", {}, h("h3", {}, t("people.setPassword")), this.passwordOf(person)),
      ];
    });
    this.element.querySelector<HTMLElement>("h3")?.focus();
  }

  private async back(login: string): Promise<void> {
    this.context.done("");
    await this.show();
    this.element.querySelector<HTMLElement>(`tr[data-id="${CSS.escape(login)}"] button`)?.focus();
  }

  /** Sends a change of a person, says so and shows him again. */
  private async change(person: Person, said: string, send: (address: string) => Promise<unknown>): Promise<void> {
    await send(`${people}/${person.id}`);
    if (person.id === session().person?.id) await this.context.changedSelf();
    this.context.done(said);
    await this.open(person.id);
  }

  private disabling(person: Person): HTMLElement {
    const set = (disabled: boolean, said: string) => this.change(person, said, (address) => request(address, { method: "PATCH", body: { disabled } }));
    const values = { name: person.name };
    if (!person.disabled_at) return askFirst(t("people.disable"), t("people.disable.question", values), () => set(true, t("people.disabled", values)), { id: "person-disable" });
    return askFirst(t("people.enable"), t("people.enable.question", values), () => set(false, t("people.enabled", values)), { id: "person-enable" });
  }

  private details(person: Person, all: Organisation[]): HTMLElement {
    return form({
      id: "person-details", submit: t("form.save"),
      act: async (values) => {
        const before: Record<string, string> = { name: person.name, email: person.email ?? "", organisation: person.organisation ?? "" };
        const body = Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== before[name]));
        if (Object.keys(body).length > 0) await this.change(person, t("form.saved"), (address) => request(address, { method: "PATCH", body }));
      },
    },
    field("details-name", t("person.name"), h("input", { name: "name", value: person.name, autocomplete: "off", required: true })),
    h("div", { class: "pair" }, field("details-organisation", t("person.organisation"), organisationSelect(all, person.organisation)),
      field("details-email", t("person.email"), h("input", { name: "email", type: "email", value: person.email ?? "", autocomplete: "off" }))));
  }

  private passwordOf(person: Person): HTMLElement {
    return form({
      id: "person-password-set", submit: t("people.setPassword"),
      act: ({ password: next }) => this.change(person, t("people.passwordSet", { name: person.name }), (address) => request(address, { method: "PATCH", body: { password: next } })),
    }, field("set-password", t("account.new"), password("password", "new-password"), h("small", { class: "help" }, t("person.firstPassword.help"))));
  }

  private grantsOf(person: Person): HTMLElement {
    if (person.grants.length === 0) return grantList([], this.context.layers);
    const withdrawal = (grant: Grant) => askFirst(t("grant.withdraw"), t("grant.withdraw.question"),
      () => this.change(person, t("grant.withdrawn"), (address) => request(`${address}/grants/${grant.id}`, { method: "DELETE" })));
    return h("ul", { class: "held" }, ...person.grants.map((grant) => h("li", { "data-grant": grant.id }, grantText(grant, this.context.layers), withdrawal(grant))));
  }

  private granting(person: Person): HTMLElement {
    const picker = new GrantPicker("grant", this.context.layers);
    const act = () => this.change(person, t("grant.added"), (address) => request(`${address}/grants`, { body: picker.value }));
    return h("details", {}, h("summary", {}, t("grant.add")), form({ id: "grant-add", submit: t("grant.add"), act }, picker.element));
  }
}

function organisationSelect(all: Organisation[], code: string | null): HTMLSelectElement {
  const options = all.map((o): [string, string] => [o.code, `${say(o.name)} (${o.code})`]);
  if (code && !all.some((o) => o.code === code)) options.push([code, code]);
  return select("organisation", [["", t("person.noOrganisation")], ...options], code ?? "");
}
