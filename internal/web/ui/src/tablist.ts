// Tabs of a tablist: one is in the order of Tab, the arrows go to the others.
import { h } from "./dom";

/** The buttons of the tabs, which control the element "…panel-TAB"; choose is called with the one that was picked. */
export function tabButtons<T extends string>(prefix: string, tabs: readonly T[], selected: T, title: (tab: T) => string, choose: (tab: T) => void): HTMLElement[] {
  const move = (tab: T, event: Event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[(event as KeyboardEvent).key];
    const next = step && tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    if (next) choose(next);
  };
  return tabs.map((tab) => h("button", {
    type: "button", role: "tab", id: `${prefix}tab-${tab}`, "aria-selected": String(tab === selected), "aria-controls": `${prefix}panel-${tab}`,
    tabindex: tab === selected ? 0 : -1, onclick: () => choose(tab), onkeydown: (e) => move(tab, e),
  }, title(tab)));
}
