// The findings of a verdict on the map: what was found, the distances measured and required.
import Feature from "ol/Feature";
import type { FeatureLike } from "ol/Feature";
import type { Coordinate } from "ol/coordinate";
import type Geometry from "ol/geom/Geometry";
import LineString from "ol/geom/LineString";
import Polygon from "ol/geom/Polygon";
import VectorSource from "ol/source/Vector";
import { fromLonLat } from "ol/proj";
import { createEmpty, extend, isEmpty, type Extent } from "ol/extent";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";
import type { Finding, Verdict } from "./api";
import { formatNumber, t } from "./i18n";
import { fetchFeature } from "./layers";
import { translucent } from "./style";

const colours: Record<string, string> = { fail: "#b3261e", condition: "#96600f", unknown: "#55626a", pass: "#2b7a4b" };

/** Whether a finding of a verdict has something to be drawn. */
export function drawable(v: Verdict, f: Finding): boolean { return !!f.evidence || (!!v.point && typeof f.required_m === "number"); }

/** What is drawn of findings; one of them may be in the light. */
export class Drawing {
  readonly source = new VectorSource();
  /** The rows of a file that was checked against itself: these are in no layer. */
  rowOf: (row: number) => Feature | undefined = () => undefined;
  private lit: Finding | null = null;
  private of: Verdict | null = null;

  /** Draws the findings of a verdict, whose evidence is fetched; again only what is not drawn yet. */
  async show(v: Verdict): Promise<void> {
    if (this.of === v) return;
    this.clear();
    this.of = v;
    const place = v.point && fromLonLat(v.point);
    for (const f of v.findings) {
      if (v.point && typeof f.required_m === "number") this.add(f, "required", circle(...v.point, f.required_m), t("draw.required", { m: formatNumber(f.required_m, 1) }));
    }
    await Promise.all(v.findings.map(async (f) => {
      const found = f.evidence && (f.evidence.collection === "proposals" ? this.rowOf(f.evidence.id) : await fetchFeature(f.evidence.collection, f.evidence.id));
      const shape = found?.getGeometry();
      if (!shape || this.of !== v) return; // something else is shown by now
      this.add(f, "evidence", shape, "");
      if (place && typeof f.measured_m === "number") {
        this.add(f, "measured", new LineString([place, shape.getClosestPoint(place)]), t("draw.measured", { m: formatNumber(f.measured_m, 1) }));
      }
    }));
  }

  clear(): void {
    this.of = null;
    this.lit = null;
    this.source.clear();
  }

  /** Puts one finding in the light, or none. */
  light(f: Finding | null): void {
    if (this.lit === f) return;
    this.lit = f;
    this.source.changed();
  }

  /** The box around what is drawn of one finding, or of all; undefined for nothing. */
  extent(f?: Finding): Extent | undefined {
    const box = createEmpty();
    for (const feature of this.source.getFeatures()) {
      if (!f || feature.get("finding") === f) extend(box, feature.getGeometry()?.getExtent() ?? createEmpty());
    }
    return isEmpty(box) ? undefined : box;
  }

  style(feature: FeatureLike): Style[] {
    const f = feature.get("finding") as Finding;
    const lit = f === this.lit;
    const colour = colours[f.outcome] ?? "#55626a";
    const part: unknown = feature.get("part");
    const faint = (this.lit !== null && !lit) || (this.lit === null && f.outcome === "pass");
    const ink = translucent(colour, faint ? 0.4 : 1);
    const halo = new Style({ stroke: new Stroke({ color: "rgba(255, 255, 255, 0.85)", width: lit ? 8 : 5 }), zIndex: lit ? 9 : 1 });
    const drawn = new Style({
      stroke: new Stroke({ color: ink, width: lit ? 4 : 2, ...(part === "required" && { lineDash: [9, 6] }) }),
      zIndex: lit ? 10 : 2,
      ...(part === "evidence" && { fill: new Fill({ color: translucent(colour, lit ? 0.2 : 0.07) }), image: dot(ink, lit) }),
    });
    if (part !== "evidence") drawn.setText(lettering(colour, String(feature.get("label")), !faint));
    return lit ? [halo, drawn] : [drawn];
  }

  private add(finding: Finding, part: "required" | "measured" | "evidence", geometry: Geometry, label: string): void {
    const feature = new Feature(geometry);
    feature.setProperties({ finding, part, label });
    this.source.addFeature(feature);
  }
}

function dot(colour: string, lit: boolean): CircleStyle {
  return new CircleStyle({ radius: lit ? 11 : 8, stroke: new Stroke({ color: colour, width: lit ? 4 : 2.5 }) });
}

function lettering(colour: string, text: string, shown: boolean): Text {
  return new Text({
    text: shown ? text : "", font: '600 12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif', placement: "line", overflow: true, textBaseline: "bottom",
    fill: new Fill({ color: colour }), stroke: new Stroke({ color: "#ffffff", width: 4 }),
  });
}

/** Half-axis (m) and squared eccentricity of WGS 84. */
const axisM = 6_378_137;
const eccentricity2 = 0.00669437999014;

/** The points so many metres around a place, by the ellipsoid's radii there: a drawing, exact to a metre over some kilometres. */
function circle(lon: number, lat: number, radiusM: number): Polygon {
  const radian = Math.PI / 180;
  const w = 1 - eccentricity2 * Math.sin(lat * radian) ** 2;
  const [northM, eastM] = [(axisM * (1 - eccentricity2)) / w ** 1.5, (axisM / Math.sqrt(w)) * Math.cos(lat * radian)];
  const ring: Coordinate[] = Array.from({ length: 97 }, (_, i) => {
    const angle = (i / 96) * 2 * Math.PI;
    return fromLonLat([lon + (radiusM * Math.sin(angle)) / eastM / radian, lat + (radiusM * Math.cos(angle)) / northM / radian]);
  });
  return new Polygon([ring]);
}

/** A box of so many metres around a place. */
export function around(lon: number, lat: number, radiusM: number): Extent { return circle(lon, lat, radiusM).getExtent(); }
