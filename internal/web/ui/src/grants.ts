// Grants in words, and the form that makes one: a role on some layers in some territory.
import { Problem, unitName, type LayerInfo } from "./api";
import { h } from "./dom";
import { field, select } from "./forms";
import { say, t, word } from "./i18n";

export interface Grant {
  id?: number;
  role: string;
  /** Names; null for all. */
  layers: string[] | null;
  /** The code of a unit; "" for everywhere. */
  territory: string;
}

/** The roles that a grant can have, least first. */
const roles = ["operator", "consulted", "officer", "approver", "administrator"] as const;
const levels = ["provinces", "districts", "communes"];

/** A grant in words: role, layers, territory. The name of the unit comes as soon as it is known. */
export function grantText(grant: Grant, layers: LayerInfo[]): HTMLElement {
  const where = h("span", {}, grant.territory || t("grant.everywhere"));
  if (grant.territory) void territoryName(grant.territory).then((name) => { if (name) where.textContent = `${name} (${grant.territory})`; });
  const titles = grant.layers?.map((name) => say(layers.find((l) => l.name === name)?.title) || name);
  return h("span", { class: "grant" }, h("strong", {}, word("role", grant.role)), " · ", titles ? titles.join(", ") : t("grant.allLayers"), " · ", where);
}

/** Grants as a list, or that there is none. */
export function grantList(grants: Grant[], layers: LayerInfo[]): HTMLElement {
  if (grants.length === 0) return h("span", { class: "none" }, t("grant.none"));
  return h("ul", { class: "grants" }, ...grants.map((g) => h("li", {}, grantText(g, layers))));
}

/** The name of the unit with a code, whatever its level; "" when there is none. */
async function territoryName(code: string): Promise<string> {
  for (const level of levels) {
    // A name is a help only: without one the code stands.
    const name = await unitName(level, code).catch(() => "");
    if (name) return name;
  }
  return "";
}

/** The fields of a grant to be, and what they hold. */
export class GrantPicker {
  readonly element: HTMLElement;
  private readonly role = select("role", roles.map((r) => [r, word("role", r)]), "officer");
  private readonly all: HTMLInputElement;
  private readonly boxes: HTMLInputElement[];
  private readonly territory = h("input", { name: "territory", autocomplete: "off", spellcheck: "false" });

  constructor(prefix: string, layers: LayerInfo[]) {
    const box = (name: string, checked: boolean) => h("input", { type: "checkbox", id: `${prefix}-layer-${name || "all"}`, value: name, checked });
    const line = (input: HTMLInputElement, title: string) => h("li", {}, input, h("label", { for: input.id }, title));
    this.all = box("", true);
    this.boxes = layers.map((l) => box(l.name, false));
    const chosen = h("ul", { class: "choices", hidden: true }, ...layers.map((l, i) => line(this.boxes[i] as HTMLInputElement, say(l.title))));
    this.all.addEventListener("change", () => { chosen.hidden = this.all.checked; });
    const unit = h("small", { class: "help", role: "status" }, t("grant.territory.help"));
    this.territory.addEventListener("change", () => void this.nameUnit(unit));
    this.element = h("fieldset", {}, h("legend", {}, t("grant.title")),
      h("div", { class: "pair" }, field(`${prefix}-role`, t("grant.role"), this.role), field(`${prefix}-territory`, t("grant.territory"), this.territory, unit)),
      h("fieldset", { class: "layerChoice" }, h("legend", {}, t("grant.layers")), h("ul", { class: "choices" }, line(this.all, t("grant.allLayers"))), chosen));
  }

  /** The grant; a Problem when it would be about no layer. */
  get value(): Grant {
    if (!this.all.checked && !this.boxes.some((b) => b.checked)) throw new Problem(t("error.title"), t("grant.noLayer"));
    const layers = this.all.checked ? null : this.boxes.filter((b) => b.checked).map((b) => b.value);
    return { role: this.role.value, layers, territory: this.territory.value.trim() };
  }

  private async nameUnit(unit: HTMLElement): Promise<void> {
    const code = this.territory.value.trim();
    unit.textContent = code === "" ? t("grant.territory.help") : (await territoryName(code)) || t("grant.territory.unknown", { code });
  }
}
