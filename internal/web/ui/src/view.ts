// What a map shows, for scripts that test it.
import type Map from "ol/Map";

/** Writes the view on the map's element, so that a script can tell which pixel is which place. */
export function publishView(map: Map, element: HTMLElement): void {
  const view = map.getView();
  const [x = 0, y = 0] = view.getCenter() ?? [];
  element.dataset["centre"] = `${x},${y}`;
  element.dataset["resolution"] = String(view.getResolution());
}
