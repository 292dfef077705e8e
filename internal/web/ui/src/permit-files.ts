// The files of a proposal: those that there are, and attaching one.
import { request } from "./api";
import { h } from "./dom";
import { field, form, select } from "./forms";
import { formatNumber, formatTime, t } from "./i18n";
import { organisationText } from "./organisations";
import { isStaff, proposals, type Permit } from "./permits";
import { fillWith } from "./section";

/** A file, as the API lists it. */
export interface Attached { id: number; name: string; bytes: number; agency: string | null; organisation: string | null; at: string }

/** The files that the one signed in sees. */
export async function attached(permit: number): Promise<Attached[]> {
  return (await request<{ attachments: Attached[] }>(`${proposals}/${permit}/attachments`)).attachments;
}

/** The states in which a proposal takes more files. */
const takesFiles = ["filed", "more_asked", "supplemented", "consulting"];

/** The list, and the form where a file may be attached. done is called with what has been said of it. */
export function filesSection(p: Permit, done: (said: string) => Promise<void>): HTMLElement {
  const list = h("div");
  void fillWith(list, async () => {
    const found = await attached(p.id);
    if (found.length === 0) return [h("p", { class: "none" }, t("attached.none"))];
    return [h("ul", { class: "attached" }, ...found.map((one) => h("li", { "data-attachment": one.id },
      h("a", { href: `${proposals}/${p.id}/attachments/${one.id}`, download: one.name }, one.name),
      h("span", { class: "kind" }, ` ${formatNumber(Math.ceil(one.bytes / 1024), 0)} KiB · ${formatTime(one.at)}`),
      one.agency && h("span", { class: "kind" }, " · ", t("attached.ofAnswer"), " ", organisationText(one.agency)))))];
  });
  return h("section", { id: "permit-files" }, h("h3", {}, t("attached.title")), list, p.actions?.includes("attach") ? attaching(p, done) : !takesFiles.includes(p.state) && h("p", { class: "none", id: "attach-closed" }, t("attached.closed")));
}

function attaching(p: Permit, done: (said: string) => Promise<void>): HTMLElement {
  const file = h("input", { type: "file", name: "file", required: true });
  return h("details", { class: "step", "data-step-of": "attach" }, h("summary", {}, t("attached.add")), form({
    id: "attach-file", submit: t("attached.do"),
    act: async ({ agency }) => {
      const chosen = file.files?.[0];
      if (!chosen) return;
      const about = new URLSearchParams({ name: chosen.name.normalize("NFC"), ...(agency && { agency }) });
      await request(`${proposals}/${p.id}/attachments?${about.toString()}`, { file: chosen, headers: { "Content-Type": "application/octet-stream" } });
      await done(t("attached.done", { name: chosen.name }));
    },
  }, field("attach-chosen", t("attached.file"), file, h("small", { class: "help" }, t("attached.help"))), whose(p)));
}

/** Staff attach to the proposal, or what an agency that is asked has sent; everybody else to what is his own. */
function whose(p: Permit): HTMLElement | false {
  const asked = [...new Set((p.consultations ?? []).filter((c) => c.state === "open").map((c) => c.agency))];
  if (!isStaff() || p.awaits_answer || asked.length === 0) return false;
  return field("attach-agency", t("attached.whose"), select("agency", [["", t("attached.proposal")], ...asked.map((code) => [code, `${t("attached.ofAnswer")} ${code}`] as const)], ""));
}
