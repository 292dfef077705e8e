// Where: typed in WGS 84, in degrees or with minutes and seconds, or on a grid of VN-2000, which
// the server takes back to WGS 84.
import { Problem, type Description } from "./api";
import { fill, h } from "./dom";
import { t } from "./i18n";

/** A place as a check takes it. */
export type Place = { lon: number; lat: number } | { crs: string; x: number; y: number };

/** The signs that part degrees, minutes and seconds. */
const parts = /[\s°º'′’"″”:]+/;

/** Reads an angle: "21.3826", "21,3826°", "21°22′57,4″N"; null for what is none. Letters are those of the axis: N and S, or E and W. */
export function readDegrees(text: string, positive: string, negative: string): number | null {
  const found = /^\s*([-+−]?)\s*([^A-Z]+?)\s*([A-Z]?)\s*$/i.exec(text);
  const [, sign = "", body = "", letter = ""] = found ?? [];
  const side = letter.toUpperCase();
  if (!found || (side !== "" && side !== positive && side !== negative) || (side !== "" && sign !== "")) return null;
  const figures = body.split(parts).filter((part) => part !== "");
  const whole = figures.slice(0, -1).every((part) => /^\d+$/.test(part));
  if (figures.length < 1 || figures.length > 3 || !whole || !/^\d+([.,]\d+)?$/.test(figures.at(-1) ?? "")) return null;
  const [degrees = 0, minutes = 0, seconds = 0] = figures.map((part) => Number(part.replace(",", ".")));
  if (minutes >= 60 || seconds >= 60) return null;
  const size = degrees + minutes / 60 + seconds / 3600;
  return side === negative || (sign !== "" && sign !== "+") ? -size : size;
}

/** Reads metres, whose thousands may be parted by blanks and whose decimals by a comma; null for none. */
export function readMetres(text: string): number | null {
  const figures = text.replace(/\s/g, "").replace(",", ".");
  return /^-?\d+(\.\d+)?$/.test(figures) ? Number(figures) : null;
}

/** The fields of a place; what was typed stays when they are drawn again. */
export class PlaceField {
  readonly element = h("div", { class: "place" });
  /** "" is WGS 84, else the code of a grid. */
  private system = "";
  private readonly typed = { lat: "", lon: "", x: "", y: "" };

  constructor(private readonly description: Description) {}

  render(): void {
    const { grid, grids } = this.description;
    const ours = grids.filter((g) => g.code === grid?.code);
    const option = (code: string, text: string) => h("option", { value: code, selected: this.system === code }, text);
    const chosen = (event: Event) => {
      this.system = (event.target as HTMLSelectElement).value;
      this.render();
      this.element.querySelector<HTMLElement>("#check-system")?.focus();
    };
    fill(this.element,
      h("div", { class: "field" }, h("label", { for: "check-system" }, t("place.system")), h("select", { id: "check-system", onchange: chosen },
        option("", t("place.wgs84")), ...ours.map((g) => option(g.code, t("place.ours", { name: g.name }))), ...grids.filter((g) => !ours.includes(g)).map((g) => option(g.code, g.name)))),
      this.system === ""
        ? h("div", { class: "pair" }, this.input("check-lat", t("check.lat"), "lat"), this.input("check-lon", t("check.lon"), "lon"))
        : h("div", { class: "pair" }, this.input("check-x", t("place.x"), "x"), this.input("check-y", t("place.y"), "y")),
      h("small", { class: "help", id: "place-help" }, t(this.system === "" ? "place.help" : "place.help.grid")));
  }

  /** Takes a place of the map, to so many decimals, and answers what it has taken. */
  take(lon: number, lat: number, decimals: number): Place {
    this.system = "";
    Object.assign(this.typed, { lon: lon.toFixed(decimals), lat: lat.toFixed(decimals) });
    this.render();
    return { lon: Number(this.typed.lon), lat: Number(this.typed.lat) };
  }

  /** What is typed; a Problem in words when it is no place. */
  value(): Place {
    const { lat, lon, x, y } = this.typed;
    if (this.system === "") {
      const [north, east] = [readDegrees(lat, "N", "S"), readDegrees(lon, "E", "W")];
      if (north === null || east === null || Math.abs(north) > 90 || Math.abs(east) > 180) throw new Problem(t("error.title"), t("check.badNumber"));
      return { lon: east, lat: north };
    }
    const [north, east] = [readMetres(x), readMetres(y)];
    if (north === null || east === null) throw new Problem(t("error.title"), t("place.bad"));
    // Viet Nam lies so that the northing is always the greater: the other way round they were mistaken for each other.
    if (north < east) throw new Problem(t("error.title"), t("place.swapped"));
    return { crs: this.system, x: east, y: north };
  }

  private input(id: string, label: string, name: "lat" | "lon" | "x" | "y"): HTMLElement {
    return h("div", { class: "field" }, h("label", { for: id }, label), h("input", {
      id, type: "text", autocomplete: "off", spellcheck: "false", value: this.typed[name], "aria-describedby": "place-help",
      oninput: (e) => { this.typed[name] = (e.target as HTMLInputElement).value; },
    }));
  }
}
