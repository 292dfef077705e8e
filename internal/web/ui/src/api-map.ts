// The map on the API's own pages: features of the page, or tiles of layers, upon the
// outlines of the administrative units. Everything it needs stands on its element.
import Map from "ol/Map";
import View from "ol/View";
import Feature from "ol/Feature";
import type { FeatureLike } from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import MVT from "ol/format/MVT";
import VectorLayer from "ol/layer/Vector";
import VectorTileLayer from "ol/layer/VectorTile";
import VectorSource from "ol/source/Vector";
import VectorTileSource from "ol/source/VectorTile";
import Zoom from "ol/control/Zoom";
import ScaleLine from "ol/control/ScaleLine";
import { isEmpty } from "ol/extent";
import { transformExtent } from "ol/proj";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import { highlightStyle, makeStyle } from "./style";
import { publishView } from "./view";
import type { GeometryType } from "./api";

/** How a layer is drawn, as the server says. */
interface Drawn { name: string; geometry: GeometryType; unit?: boolean; colour: string; by?: string; colours?: Record<string, string>; items: string }

function start(target: HTMLElement): void {
  const figure = target.closest("figure");
  if (figure) figure.hidden = false;
  const text = (name: string) => target.dataset[name] ?? "";
  const layers = JSON.parse(text("layers") || "[]") as Drawn[];
  const format = new GeoJSON({ featureProjection: "EPSG:3857" });
  const source = new VectorSource();
  const marked = new VectorSource();
  const drawn = styleOf(layers.map((l) => ({ ...l, unit: false }))); // what a page is about is filled, units too
  const featureStyle = (f: FeatureLike, resolution: number) => drawn(f, resolution, layers[0]?.name);
  const map = new Map({
    target,
    controls: [new Zoom({ zoomInTipLabel: text("zoomIn"), zoomOutTipLabel: text("zoomOut") }), new ScaleLine({ units: "metric" })],
    layers: [
      ...(text("ground") ? [tiled(text("ground"), () => outline, 0)] : []),
      ...(text("tiles") ? [tiled(text("tiles"), styleOf(layers), 1)] : []),
      new VectorLayer({ source, style: featureStyle, zIndex: 2 }),
      new VectorLayer({ source: marked, style: highlightStyle, zIndex: 3 }),
    ],
    view: new View({ center: [11_577_000, 2_100_000], zoom: 5, maxZoom: 19 }),
  });
  map.on("moveend", () => publishView(map, target));
  const fit = (extent: number[]) => map.getView().fit(extent, { padding: [24, 24, 24, 24], maxZoom: 15 });
  const box = text("box").split(",").map(Number);
  if (box.length === 4) fit(transformExtent(box, "EPSG:4326", "EPSG:3857"));
  const said = new Said(target, layers);
  // Tells a script that everything that is coming has been drawn.
  const ready = () => map.once("rendercomplete", () => { target.dataset["state"] ??= "ready"; });
  if (text("items")) void read(text("items"), format, source, fit, said).then(ready);
  else ready();
  pick(map, said, (feature) => mark(marked, feature));
  showRows(source, (feature) => mark(marked, feature));
  offerView(map);
}

function tiled(url: string, style: (f: FeatureLike, resolution: number) => Style | undefined, zIndex: number): VectorTileLayer {
  // 14 is the closest zoom that the server draws; beyond, its tiles are enlarged.
  return new VectorTileLayer({ source: new VectorTileSource({ format: new MVT(), url, maxZoom: 14 }), style, zIndex });
}

/** The ground: what is a line or an area gets a thin grey border on nearly white paper. */
const outline = new Style({ fill: new Fill({ color: "rgba(255, 255, 255, 0.45)" }), stroke: new Stroke({ color: "#9fb0b5", width: 0.8 }) });

/** Draws a feature as the legend of its layer has it. */
function styleOf(layers: Drawn[]): (f: FeatureLike, resolution: number, name?: string) => Style | undefined {
  const made: Record<string, Style> = {};
  return (feature, resolution, name = String(feature.get("layer"))) => {
    const layer = layers.find((l) => l.name === name);
    if (!layer) return undefined;
    const colour = (layer.by && layer.colours?.[String(feature.get(layer.by))]) || layer.colour;
    const planned = feature.get("status") === "planned";
    const key = `${name}|${colour}|${planned}|${resolution < 60}`;
    return (made[key] ??= makeStyle({ ...layer, group: layer.unit ? "units" : "" }, colour, planned, resolution < 60));
  };
}

/** The line under the map that says which feature was picked, or what went wrong. */
class Said {
  private readonly line = document.getElementById("map-said");
  constructor(private readonly target: HTMLElement, private readonly layers: Drawn[]) {}

  text(name: string): void { this.line?.replaceChildren(this.target.dataset[name] ?? ""); }

  feature(feature: FeatureLike | undefined): void {
    const layer = this.layers.find((l) => l.name === feature?.get("layer")) ?? this.layers[0];
    const id = feature?.getId();
    if (!feature || !layer || id === undefined) {
      this.line?.replaceChildren();
      return;
    }
    const link = document.createElement("a");
    const address = new URL(layer.items, location.href);
    address.pathname += `/${id}`;
    link.href = address.pathname + address.search;
    link.textContent = String(feature.get("name") ?? feature.get("code") ?? `${this.target.dataset["feature"]} ${id}`);
    this.line?.replaceChildren(link);
  }
}

/** Reads the features of the page: one, or a collection. */
async function read(url: string, format: GeoJSON, source: VectorSource, fit: (extent: number[]) => void, said: Said): Promise<void> {
  const target = document.getElementById("map");
  try {
    const answer = await fetch(url, { headers: { Accept: "application/geo+json, application/json" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    source.addFeatures(format.readFeatures(await answer.json()) as Feature[]);
    const extent = source.getExtent();
    if (extent && !isEmpty(extent)) fit(extent);
    else said.text("empty");
    target?.setAttribute("data-drawn", String(source.getFeatures().length));
  } catch {
    said.text("failed");
    target?.setAttribute("data-state", "failed");
  }
}

/** A click says which feature lies there, and marks it on the map and in the table. */
function pick(map: Map, said: Said, mark: (feature: FeatureLike | undefined) => void): void {
  map.on("singleclick", (event) => {
    let found: FeatureLike | undefined;
    map.forEachFeatureAtPixel(event.pixel, (feature, layer) => {
      found ??= layer && layer.getZIndex() !== 0 && layer.getZIndex() !== 3 ? feature : undefined;
    }, { hitTolerance: 6 });
    said.feature(found);
    mark(found);
    for (const row of rows()) {
      const here = found !== undefined && row.dataset["id"] === String(found.getId());
      row.classList.toggle("marked", here);
      if (here) row.scrollIntoView({ block: "nearest" });
    }
  });
}

function mark(marked: VectorSource, feature: FeatureLike | undefined): void {
  marked.clear();
  const geometry = feature instanceof Feature ? feature.getGeometry() : undefined;
  if (geometry) marked.addFeature(new Feature(geometry));
}

const rows = () => [...document.querySelectorAll<HTMLElement>("tr[data-id]")];

/** The row under the pointer, or with the focus in it, is marked on the map. */
function showRows(source: VectorSource, mark: (feature: FeatureLike | undefined) => void): void {
  for (const row of rows()) {
    const show = () => mark(source.getFeatureById(Number(row.dataset["id"])) ?? undefined);
    row.addEventListener("pointerenter", show);
    row.addEventListener("focusin", show);
  }
}

/** The button that takes what the map shows as the box of the form. */
function offerView(map: Map): void {
  const button = document.getElementById("use-view");
  const field = document.getElementById("bbox");
  if (!button || !(field instanceof HTMLInputElement)) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const extent = transformExtent(map.getView().calculateExtent(), "EPSG:3857", "EPSG:4326");
    field.value = extent.map((x) => x.toFixed(5)).join(",");
    field.focus();
  });
}

const element = document.getElementById("map");
if (element) start(element);
