// How layers are drawn: colours come from the registry's legend, the rest is here.
import type { FeatureLike } from "ol/Feature";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";
import type { LayerInfo } from "./api";

/** Colours for the values of a field whose values the registry does not list. */
const palette = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bb5566", "#004488", "#997700", "#555555"];

/** One line of a legend. */
export interface LegendEntry { code: string; label: () => string; colour: string }

/** Gives each distinct value a colour: in alphabetical order, so that it is the same at every visit. */
export function paletteFor(codes: string[]): Map<string, string> {
  const sorted = [...codes].sort();
  return new Map(sorted.map((code, i) => [code, palette[i % palette.length] ?? "#555555"]));
}

export function translucent(colour: string, alpha: number): string {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (!hex) return colour;
  const [r, g, b] = hex.slice(1).map((part) => parseInt(part, 16));
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** A style for the features of a layer; colourOf answers the legend's colour of a feature. */
export function layerStyle(layer: LayerInfo, colourOf: (f: FeatureLike) => string): (f: FeatureLike, resolution: number) => Style {
  const made = new Map<string, Style>();
  return (feature, resolution) => {
    const colour = colourOf(feature);
    const planned = feature.get("status") === "planned";
    const near = resolution < 60;
    const key = `${colour}|${planned}|${near}`;
    let style = made.get(key);
    if (!style) {
      style = makeStyle(layer, colour, planned, near);
      made.set(key, style);
    }
    if (layer.group === "units") label(style, feature, resolution, layer.name);
    return style;
  };
}

/** A style for features of one colour, planned or standing, seen from near or far. */
export function makeStyle(layer: Pick<LayerInfo, "name" | "group" | "geometry">, colour: string, planned: boolean, near: boolean): Style {
  switch (layer.geometry) {
    case "Point":
    case "MultiPoint":
      // What is planned is drawn hollow.
      return new Style({
        image: new CircleStyle({
          radius: near ? 6 : 4,
          fill: new Fill({ color: planned ? "rgba(255, 255, 255, 0.9)" : colour }),
          stroke: new Stroke({ color: planned ? colour : "#ffffff", width: planned ? 2 : 1 }),
        }),
      });
    case "MultiLineString":
      return new Style({ stroke: new Stroke({ color: colour, width: near ? 3.5 : 2.2, ...(planned && { lineDash: [8, 6] }) }) });
    case "MultiPolygon":
      if (layer.group === "units") return unitStyle(layer.name, colour);
      return new Style({ fill: new Fill({ color: translucent(colour, 0.28) }), stroke: new Stroke({ color: colour, width: 1.2 }) });
    case "Geometry":
      // Each feature takes of it what its kind needs.
      return new Style({
        image: new CircleStyle({ radius: near ? 6 : 4, fill: new Fill({ color: colour }), stroke: new Stroke({ color: "#ffffff", width: 1 }) }),
        fill: new Fill({ color: translucent(colour, 0.28) }),
        stroke: new Stroke({ color: colour, width: near ? 3.5 : 2.2 }),
      });
  }
}

/** Units are background: an outline, heavier for larger units, and the faintest fill. */
function unitStyle(name: string, colour: string): Style {
  const width: Record<string, number> = { provinces: 2.6, districts: 1.6, communes: 0.8 };
  return new Style({
    fill: new Fill({ color: name === "districts" ? "rgba(255, 255, 255, 0.72)" : "rgba(255, 255, 255, 0.01)" }),
    stroke: new Stroke({ color: colour, width: width[name] ?? 1 }),
    text: new Text({
      font: `${name === "communes" ? 400 : 600} 12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif`,
      fill: new Fill({ color: "#2b3a42" }),
      stroke: new Stroke({ color: "rgba(255, 255, 255, 0.9)", width: 3 }),
      overflow: false,
    }),
  });
}

function label(style: Style, feature: FeatureLike, resolution: number, layer: string): void {
  const from = layer === "communes" ? 90 : 900;
  style.getText()?.setText(layer !== "provinces" && resolution < from ? String(feature.get("name") ?? "") : "");
}

export const highlightStyle = [
  new Style({
    stroke: new Stroke({ color: "#ffffff", width: 7 }),
    image: new CircleStyle({ radius: 11, stroke: new Stroke({ color: "#ffffff", width: 5 }) }),
  }),
  new Style({
    stroke: new Stroke({ color: "#0f4c5c", width: 3 }),
    image: new CircleStyle({ radius: 11, stroke: new Stroke({ color: "#0f4c5c", width: 2.5 }) }),
  }),
];

export const verdictColours: Record<string, string> = {
  permitted: "#2b7a4b", conditional: "#b7791f", refused: "#b3261e", undetermined: "#5b6770",
};

export const markerStyle = (feature: FeatureLike): Style[] => [
  new Style({
    image: new CircleStyle({
      radius: feature.get("small") === true ? 6 : 10,
      fill: new Fill({ color: verdictColours[String(feature.get("verdict"))] ?? "#0f4c5c" }),
      stroke: new Stroke({ color: "#ffffff", width: feature.get("small") === true ? 1.5 : 3 }),
    }),
  }),
  new Style({ image: new CircleStyle({ radius: feature.get("small") === true ? 1.5 : 3, fill: new Fill({ color: "#ffffff" }) }) }),
];

/** Five shades from little to much, readable in print and by the colour-blind. */
export const shades = ["#f1eef6", "#bdc9e1", "#74a9cf", "#2b8cbe", "#045a8d"];
export const noFigure = "#d9d9d9";
