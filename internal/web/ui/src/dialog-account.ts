// The section about oneself: who one is, what one may do, the password, the way out.
import { api, Problem, request } from "./api";
import { fill, h } from "./dom";
import { field, form, password } from "./forms";
import { grantList } from "./grants";
import { formatTime, t } from "./i18n";
import { organisationText } from "./organisations";
import type { Context, Section } from "./section";
import { session, signOut } from "./session";

export class AccountSection implements Section {
  readonly element = h("div");

  constructor(private readonly context: Context) {}

  async show(): Promise<void> {
    const { person, name, organisation, grants, expires_at: until, offers } = session();
    const line = (label: string, value: Node | string) => [h("dt", {}, label), h("dd", {}, value)];
    fill(this.element,
      h("dl", { class: "facts" },
        ...line(t("person.name"), person?.name ?? name ?? ""),
        ...(person ? line(t("person.login"), person.login) : []),
        ...line(t("person.organisation"), organisationText(organisation)),
        ...line(t("person.grants"), grantList(grants, this.context.layers)),
        ...(until ? line(t("account.until"), formatTime(until)) : [])),
      form({ id: "signout", class: "plain", submit: t("account.signOut"), act: leave }),
      person && offers.password && this.passwordForm(person.login));
  }

  private passwordForm(login: string): HTMLElement {
    const change = form({
      id: "password", submit: t("account.changePassword"),
      act: async (values) => {
        if (values["new"] !== values["again"]) throw new Problem(t("error.title"), "", [{ at: "/again", detail: t("account.unlike") }]);
        await request(`${api}/session/password`, { method: "PUT", body: { old: values["old"], new: values["new"] } });
        change.reset();
        this.context.done(t("account.passwordChanged"));
        await this.context.changedSelf();
      },
    },
    // Tells the browser's keeper of passwords whose it is.
    h("input", { type: "text", autocomplete: "username", value: login, readonly: true, hidden: true }),
    field("password-old", t("account.old"), password("old", "current-password")),
    h("div", { class: "pair" }, field("password-new", t("account.new"), password("new", "new-password")),
      field("password-again", t("account.again"), password("again", "new-password"))));
    return h("section", {}, h("h3", {}, t("account.changePassword")), change);
  }
}

async function leave(): Promise<void> {
  await signOut();
  location.reload(); // the public sees fewer rows
}
