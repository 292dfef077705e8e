// The section of the audit: the latest entries, and whether the chain is whole.
import { api, request } from "./api";
import { h } from "./dom";
import { formatTime, t } from "./i18n";
import { fillWith, heading, table, type Section } from "./section";

interface Entry { id: number; at: string; who: string; action: string; subject: string | null }
interface Audit { intact: boolean; first_broken: number | null; entries: Entry[] }

const most = 100;

export class AuditSection implements Section {
  readonly element = h("div");

  show(): Promise<void> {
    return fillWith(this.element, async () => {
      const { intact, first_broken: broken, entries } = await request<Audit>(`${api}/audit?limit=${most}`);
      return [
        heading(t("account.tab.audit")),
        h("p", { class: intact ? "chain whole" : "chain broken", "data-intact": String(intact) },
          intact ? t("audit.intact") : t("audit.broken", { id: String(broken ?? "?") })),
        h("p", { class: "intro" }, t("audit.intro", { n: entries.length })),
        table(t("account.tab.audit"), [t("audit.at"), t("audit.who"), t("audit.action"), t("audit.subject")], entries.map((e) => ({
          id: e.id, cells: [h("time", { datetime: e.at }, formatTime(e.at, true)), e.who, h("code", {}, e.action), e.subject ?? "—"],
        }))),
      ];
    });
  }
}
