// The button of the bar that says who is signed in, and the dialog it opens.
import type { LayerInfo } from "./api";
import { AccountSection } from "./dialog-account";
import { AuditSection } from "./dialog-audit";
import { CalendarSection, keepsCalendar } from "./dialog-calendar";
import { ConsultationsSection, consults } from "./dialog-consultations";
import { KeysSection } from "./dialog-keys";
import { PeopleSection } from "./dialog-people";
import { PublishingSection } from "./dialog-publishing";
import { NoticesSection } from "./dialog-notices";
import { drawSignIn } from "./dialog-signin";
import { byId, fill, h } from "./dom";
import { t } from "./i18n";
import type { Context, Section } from "./section";
import { administers, learnSession, session, whenEnded } from "./session";
import { tabButtons } from "./tablist";

const ofAll = ["account", "keys"] as const;
const ofAdministrators = ["people", "publishing", "notices", "audit"] as const;
type Tab = (typeof ofAll)[number] | "consultations" | "calendar" | (typeof ofAdministrators)[number];

export class AccountDialog {
  private readonly element = h("dialog", { id: "account", "aria-labelledby": "account-title", onclose: () => this.closed(), onkeydown: keep });
  private readonly done = h("p", { class: "done", role: "status" });
  private tab: Tab = "account";
  private sections = new Map<Tab, Section>();
  /** The session ended while the page was open: what is on the map may be more than the public sees. */
  private over = false;

  /** renamed is called when the button must be drawn again. */
  constructor(private readonly layers: LayerInfo[], private readonly renamed: () => void) {
    document.body.append(this.element);
    whenEnded(() => this.ended());
  }

  /** The button: the way in, or the name of the one signed in. */
  button(): HTMLElement {
    const { signed_in: known, person, name } = session();
    const title = known ? person?.name || name || "" : t("session.signIn");
    return h("button", {
      type: "button", id: "session-button", class: known ? "known" : undefined, title: known ? title : undefined, "aria-haspopup": "dialog",
      "aria-label": known ? t("session.of", { name: title }) : undefined, onclick: () => this.open(),
    }, h("span", {}, title));
  }

  private open(): void {
    this.tab = "account";
    this.draw();
    if (!this.element.open) this.element.showModal();
    this.element.querySelector<HTMLElement>(session().signed_in ? '[role="tab"][aria-selected="true"]' : "input, a")?.focus();
  }

  private draw(): void {
    const known = session().signed_in;
    this.element.classList.toggle("wide", known);
    this.sections.clear();
    fill(this.element,
      h("div", { class: "cardhead" }, h("h2", { id: "account-title" }, t(known ? "session.title" : "session.signIn")),
        h("button", { type: "button", class: "icon", id: "account-close", "aria-label": t("app.close"), onclick: () => this.element.close() }, "✕")),
      ...(known ? this.drawSections() : drawSignIn(this.over)));
  }

  private drawSections(): HTMLElement[] {
    const tabs: readonly Tab[] = [...ofAll, ...(consults() ? ["consultations"] as const : []), ...(keepsCalendar() ? ["calendar"] as const : []), ...(administers() ? ofAdministrators : [])];
    const context: Context = { layers: this.layers, done: (text) => { this.done.textContent = text; }, changedSelf: () => this.changedSelf() };
    for (const tab of tabs) this.sections.set(tab, section(tab, context));
    const list = h("div", { class: "tabs", role: "tablist", "aria-label": t("session.title") });
    const panels = tabs.map((tab) => h("div", { role: "tabpanel", id: `account-panel-${tab}`, "aria-labelledby": `account-tab-${tab}` }, this.sections.get(tab)?.element));
    const choose = (tab: Tab) => {
      this.tab = tab;
      this.done.textContent = "";
      fill(list, ...tabButtons("account-", tabs, tab, (other) => t(`account.tab.${other}`), (other) => {
        choose(other);
        byId(`account-tab-${other}`).focus();
      }));
      panels.forEach((panel, i) => { panel.hidden = tabs[i] !== tab; });
      void this.sections.get(tab)?.show();
    };
    choose(tabs.includes(this.tab) ? this.tab : "account");
    return [list, this.done, ...panels];
  }

  /** The one signed in changed something about himself: name and rights are asked again. */
  private async changedSelf(): Promise<void> {
    const before = administers();
    await learnSession();
    this.renamed();
    if (session().signed_in && before !== administers()) this.draw();
  }

  private ended(): void {
    this.over = true;
    this.renamed();
    this.open();
  }

  private closed(): void {
    fill(this.element); // passwords and keys do not stay
    if (this.over) location.reload();
    else byId("session-button").focus();
  }
}

/** Keys pressed in the dialog are not for the page under it. */
function keep(event: Event): void { event.stopPropagation(); }

function section(tab: Tab, context: Context): Section {
  switch (tab) {
    case "account": return new AccountSection(context);
    case "keys": return new KeysSection(context);
    case "consultations": return new ConsultationsSection(context);
    case "calendar": return new CalendarSection(context);
    case "people": return new PeopleSection(context);
    case "publishing": return new PublishingSection(context);
    case "notices": return new NoticesSection(context);
    case "audit": return new AuditSection();
  }
}
