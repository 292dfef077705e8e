// The map itself: view, base map, scale bar, the pointer's coordinates, picking.
import Map from "ol/Map";
import View from "ol/View";
import Feature from "ol/Feature";
import type { FeatureLike } from "ol/Feature";
import Point from "ol/geom/Point";
import type BaseLayer from "ol/layer/Base";
import TileLayer from "ol/layer/Tile";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import XYZ from "ol/source/XYZ";
import ScaleLine from "ol/control/ScaleLine";
import { defaults as defaultInteractions } from "ol/interaction/defaults";
import { fromLonLat, toLonLat, transformExtent } from "ol/proj";
import type { Coordinate } from "ol/coordinate";
import proj4 from "proj4";
import type { Extent } from "ol/extent";
import type { Description } from "./api";
import { byId, fill, h } from "./dom";
import { around, Drawing } from "./drawing";
import { locale, say, t } from "./i18n";
import type { StyleLike } from "ol/style/Style";
import { highlightStyle, markerStyle } from "./style";
import { publishView } from "./view";

export interface Picked { feature: Feature; layer: string }

export class MapView {
  readonly map: Map;
  /** What a verdict has found. */
  readonly drawing = new Drawing();
  private readonly highlight = new VectorSource();
  private readonly marker = new VectorSource();
  private extent: number[] | undefined;
  private pointer: Coordinate | undefined;
  private readonly scale = new ScaleLine({ units: "metric", minWidth: 60, maxWidth: 140, target: scaleTarget() });

  constructor(private readonly description: Description, private readonly onPick: (lonLat: Coordinate, at: Coordinate) => void) {
    const top = (source: VectorSource, style: StyleLike, z: number) => new VectorLayer({ source, style, zIndex: z });
    this.map = new Map({
      target: "map",
      controls: [this.scale],
      interactions: defaultInteractions(),
      layers: [...basemap(description), top(this.drawing.source, (f) => this.drawing.style(f), 800), top(this.highlight, highlightStyle, 900), top(this.marker, markerStyle, 901)],
      view: new View({ center: fromLonLat([104, 18]), zoom: 5, maxZoom: 19, constrainResolution: false }),
    });
    this.map.on("singleclick", (e) => this.pick(e.coordinate));
    this.map.on("pointermove", (e) => { if (!e.dragging) this.point(e.coordinate); });
    this.map.on("moveend", () => this.publishView());
    this.listenToKeys();
    this.say();
  }

  /** Shows a box of longitudes and latitudes and remembers it as home. */
  home(bbox?: number[]): void {
    if (bbox) this.extent = transformExtent(bbox, "EPSG:4326", this.map.getView().getProjection());
    if (this.extent) this.map.getView().fit(this.extent, { padding: [24, 24, 48, 24] });
  }

  add(layer: BaseLayer): void { this.map.addLayer(layer); }

  zoom(by: number): void {
    const view = this.map.getView();
    view.animate({ zoom: (view.getZoom() ?? 8) + by, duration: 150 });
  }

  /** The features near a place, topmost first, each with its layer's name. */
  featuresAt(at: Coordinate): Picked[] {
    const found: Picked[] = [];
    this.map.forEachFeatureAtPixel(this.map.getPixelFromCoordinate(at), (feature: FeatureLike, layer) => {
      const name: unknown = layer?.get("name");
      if (typeof name === "string" && feature instanceof Feature) found.push({ feature, layer: name });
    }, { hitTolerance: 6 });
    return found;
  }

  /** Marks features, or none. */
  mark(...features: Feature[]): void {
    this.highlight.clear();
    for (const feature of features) {
      const geometry = feature.getGeometry();
      if (geometry) this.highlight.addFeature(new Feature(geometry));
    }
  }

  /** Marks features and moves there. */
  show(...features: Feature[]): void {
    this.mark(...features);
    const extent = this.highlight.getExtent();
    if (features.length > 0) this.fit(extent ?? undefined, 15);
  }

  /** Shows the surroundings of a place. */
  showAround([lon = 0, lat = 0]: Coordinate, radiusM: number): void { this.fit(around(lon, lat, radiusM)); }

  /** Moves so that a box is in what the card leaves free. */
  fit(extent: Extent | undefined, maxZoom = 17): void {
    if (!extent || !extent.every(Number.isFinite)) return;
    const { cardWidth, cardHeight } = this.covered();
    this.map.getView().cancelAnimations(); // of two that end in one frame the first would have the last word
    this.map.getView().fit(extent, { padding: [60, 60 + cardWidth, 60 + cardHeight, 60], maxZoom, duration: 250 });
  }

  /** Northing and easting on the province's grid, with its name; null where there is none. */
  onGrid(lonLat: [number, number]): { name: string; x: number; y: number } | null {
    if (!this.description.grid) return null;
    const [east, north] = proj4("EPSG:4326", this.description.grid.proj4, lonLat);
    return Number.isFinite(east) && Number.isFinite(north) ? { name: say(this.description.grid.title), x: north as number, y: east as number } : null;
  }

  /** Puts the pin of a checked place, coloured by its verdict, or takes it away. */
  pin(lonLat: Coordinate | null, verdict = ""): void {
    this.pins(lonLat ? [{ at: lonLat, verdict }] : []);
    if (lonLat) this.reveal(fromLonLat(lonLat));
  }

  /** Puts the pins of checked places, and takes all others away. */
  pins(checked: { at: Coordinate; verdict: string }[]): void {
    this.marker.clear();
    this.marker.addFeatures(checked.map(({ at, verdict }) => {
      const pin = new Feature(new Point(fromLonLat(at)));
      pin.setProperties({ verdict, small: checked.length > 1 });
      return pin;
    }));
  }

  /** Takes away all that is drawn over the layers. */
  clear(): void {
    this.pins([]);
    this.mark();
    this.drawing.clear();
  }

  /** The box around the pins; undefined for none. */
  pinned(): Extent | undefined { return this.marker.getExtent() ?? undefined; }

  /** Moves the map when a place is outside it or under the card. */
  reveal(at: Coordinate): void {
    const { width, height, cardWidth, cardHeight } = this.covered();
    const [x, y] = this.map.getPixelFromCoordinate(at) ?? [-1, -1];
    const free = { right: width - cardWidth, bottom: height - cardHeight };
    if (x !== undefined && y !== undefined && x > 0 && y > 0 && x < free.right && y < free.bottom) return;
    const resolution = this.map.getView().getResolution() ?? 1;
    // The place comes to the middle of what the card leaves free.
    const centre = [(at[0] ?? 0) + (cardWidth / 2) * resolution, (at[1] ?? 0) - (cardHeight / 2) * resolution];
    this.map.getView().cancelAnimations();
    this.map.getView().animate({ center: centre, duration: 250 });
  }

  /** How much of the map the card covers: from the right, or from below on a phone. */
  private covered(): { width: number; height: number; cardWidth: number; cardHeight: number } {
    const stage = byId("map").getBoundingClientRect();
    const card = byId("card").getBoundingClientRect(); // all zero while hidden
    const beside = card.width < 0.7 * stage.width;
    return {
      width: stage.width, height: stage.height,
      cardWidth: card.width > 0 && beside ? Math.max(0, stage.right - card.left) : 0,
      cardHeight: card.width > 0 && !beside ? Math.max(0, stage.bottom - card.top) : 0,
    };
  }

  /** Says everything again, in the language of now. */
  say(): void {
    const target = byId("map");
    target.setAttribute("aria-label", t("app.map"));
    target.setAttribute("role", "application");
    this.writeCoordinates();
  }

  private pick(at: Coordinate): void { this.onPick(toLonLat(at), at); }

  private point(at: Coordinate): void {
    this.pointer = toLonLat(at);
    this.writeCoordinates();
  }

  private writeCoordinates(): void {
    const target = byId("coordinates");
    target.title = t("coordinates.title");
    const lonLat = this.pointer ?? toLonLat(this.map.getView().getCenter() ?? [0, 0]);
    const [lon = 0, lat = 0] = lonLat;
    fill(target, h("span", {}, `WGS 84  ${degrees(lat, 5)}° N  ${degrees(lon, 5)}° E`), this.gridText([lon, lat]));
  }

  private gridText(lonLat: [number, number]): HTMLElement | null {
    const at = this.onGrid(lonLat);
    return at && h("span", { title: this.description.grid?.code }, `${at.name}  E ${metres(at.y)}  N ${metres(at.x)}`);
  }

  /** Enter on the focused map picks its centre, where the crosshair is. */
  private listenToKeys(): void {
    byId("map").addEventListener("keydown", (event) => {
      const centre = this.map.getView().getCenter();
      if (event.key === "Enter" && centre) this.pick(centre);
    });
  }

  private publishView(): void {
    publishView(this.map, byId("map"));
    if (!this.pointer) this.writeCoordinates();
  }
}

function scaleTarget(): HTMLElement {
  const foot = byId("foot");
  const scale = h("div", { id: "scale" });
  foot.append(scale, h("div", { id: "coordinates" }));
  return scale;
}

function basemap(description: Description): BaseLayer[] {
  if (!description.basemap) return [];
  // The attribution is written in the footer as text; the control would take it as HTML.
  return [new TileLayer({ source: new XYZ({ url: description.basemap.url }), zIndex: -1, opacity: 0.85 })];
}

function degrees(value: number, decimals: number): string {
  return value.toLocaleString(locale(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function metres(value: number): string {
  return value.toLocaleString(locale(), { maximumFractionDigits: 0 });
}
