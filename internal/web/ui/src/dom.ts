// Making elements without a framework and without HTML strings: text is always text.
import type { GeometryType } from "./api";

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

/** Makes an element; "on…" attributes are listeners, true is an empty attribute, false and undefined none. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

/** Replaces what is inside an element. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

function append(element: Element, children: Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** The element of the page with that id; the page is ours, so it is there. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** A square of a colour. Set through the style object, which the Content-Security-Policy allows. */
export function swatch(colour: string, shape: GeometryType): HTMLElement {
  const element = h("span", { class: `swatch ${shape === "MultiPoint" ? "Point" : shape === "Geometry" ? "MultiPolygon" : shape}`, "aria-hidden": "true" });
  element.style.setProperty("--colour", colour);
  return element;
}
