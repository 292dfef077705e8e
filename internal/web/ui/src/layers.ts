// The layers on the map: fetched when switched on, coloured by the legend.
import GeoJSON from "ol/format/GeoJSON";
import type Feature from "ol/Feature";
import type { FeatureLike } from "ol/Feature";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import { allFeatures, api, count, request, type GeoFeature, type LayerInfo } from "./api";
import { say, t } from "./i18n";
import type { MapView } from "./map";
import { layerStyle, paletteFor, type LegendEntry } from "./style";

export type State = "off" | "loading" | "drawn" | "failed";

export const format = new GeoJSON({ featureProjection: "EPSG:3857" });

/** One layer: its switch, its features and its legend. */
export class MapLayer {
  state: State = "off";
  /** Features in force on the reference date; undefined until the server said so. */
  matched: number | undefined;
  readonly source = new VectorSource();
  private readonly layer: VectorLayer;
  private loading: AbortController | undefined;
  private shown = true;
  private colours = new Map<string, string>();

  constructor(readonly info: LayerInfo, map: MapView, order: number, private readonly changed: () => void) {
    this.layer = new VectorLayer({
      source: this.source,
      visible: false,
      zIndex: depth(info) + order,
      style: layerStyle(info, (f) => this.colourOf(f)),
      updateWhileInteracting: info.geometry === "Point",
    });
    this.layer.set("name", info.name);
    this.learnColours();
    map.add(this.layer);
  }

  get on(): boolean { return this.state !== "off"; }
  get drawn(): number { return this.source.getFeatures().length; }

  /** Hides what is switched on, or shows it again, without asking the server. */
  reveal(shown: boolean): void {
    this.shown = shown;
    this.layer.setVisible(shown && this.on);
  }

  /** Switches the layer; switching on asks the server again, so that edits show. */
  async switch(on: boolean): Promise<void> {
    this.loading?.abort();
    this.layer.setVisible(on && this.shown);
    if (!on) {
      this.become("off");
      return;
    }
    this.become("loading");
    const loading = new AbortController();
    this.loading = loading;
    try {
      const { features, matched } = await allFeatures(this.info.name, loading.signal);
      if (loading.signal.aborted) return;
      this.matched = matched;
      this.source.clear(true);
      this.source.addFeatures(readFeatures(features));
      this.learnColours();
      this.become("drawn");
    } catch (cause) {
      if (loading.signal.aborted) return; // switched off meanwhile
      this.become("failed");
      throw cause;
    }
  }

  async learnCount(): Promise<void> {
    if (this.matched === undefined) this.matched = await count(this.info.name);
    this.changed();
  }

  /** The lines of the legend: one per value in use, or none where one colour serves. */
  legend(): LegendEntry[] {
    const field = this.info.fields.find((f) => f.name === this.info.colour_by);
    if (!field) return [];
    if (field.values?.length) {
      return field.values.map((v) => ({ code: v.code, label: () => say(v.title), colour: v.colour || this.info.colour }));
    }
    return [...this.colours].map(([code, colour]) => ({ code, label: () => code || t("layers.none"), colour }));
  }

  private become(state: State): void {
    this.state = state;
    this.changed();
  }

  private colourOf(feature: FeatureLike): string {
    const by = this.info.colour_by;
    return (by && this.colours.get(String(feature.get(by) ?? ""))) || this.info.colour;
  }

  private learnColours(): void {
    const field = this.info.fields.find((f) => f.name === this.info.colour_by);
    if (!field) return;
    this.colours = field.values?.length
      ? new Map(field.values.map((v) => [v.code, v.colour || this.info.colour]))
      : paletteFor([...new Set(this.source.getFeatures().map((f) => String(f.get(field.name) ?? "")))]);
  }
}

/** Areas lie under lines, lines under points, units under all. */
function depth(info: LayerInfo): number {
  if (info.group === "units") return 0;
  return { MultiPolygon: 100, Geometry: 150, MultiLineString: 200, Point: 300, MultiPoint: 300 }[info.geometry];
}

export function readFeatures(features: GeoFeature[]): Feature[] {
  return format.readFeatures({ type: "FeatureCollection", features }) as Feature[];
}

/** One feature by its id. */
export async function fetchFeature(collection: string, id: number): Promise<Feature | undefined> {
  const feature = await request<GeoFeature>(`${api}/collections/${collection}/items/${id}`);
  return readFeatures([feature])[0];
}

/** Features of a layer by their ids, those that one may see. */
export async function fetchFeatures(collection: string, ids: number[]): Promise<Feature[]> {
  const of = new URLSearchParams({ limit: String(ids.length), filter: `id IN (${ids.join(",")})` });
  const { features } = await request<{ features: GeoFeature[] }>(`${api}/collections/${collection}/items?${of.toString()}`);
  return readFeatures(features);
}
