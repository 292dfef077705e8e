// A page of another origin than the server's, with the map libraries that others use:
// MapLibre GL JS as it is published, OpenLayers in a bundle.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const maplibre = join(here, "..", "node_modules", "maplibre-gl", "dist");

const openLayers = `
export { default as Map } from "ol/Map.js";
export { default as View } from "ol/View.js";
export { default as GeoJSON } from "ol/format/GeoJSON.js";
export { default as MVT } from "ol/format/MVT.js";
export { default as VectorLayer } from "ol/layer/Vector.js";
export { default as VectorTileLayer } from "ol/layer/VectorTile.js";
export { default as OGCVectorTile } from "ol/source/OGCVectorTile.js";
export { default as VectorSource } from "ol/source/Vector.js";
export { default as VectorTile } from "ol/source/VectorTile.js";
export { fromLonLat, transformExtent } from "ol/proj.js";
`;

const blank = `<!doctype html><meta charset="utf-8"><title>map</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/maplibre-gl.css"><style>html, body, #map { margin: 0; width: 100%; height: 100% }</style><div id="map"></div>`;

/** Serves the page; answers { url, stop }. */
export async function startOther() {
  const bundle = await build({ stdin: { contents: openLayers, resolveDir: here }, bundle: true, format: "esm", write: false, minify: true });
  const files = new Map([["/", ["text/html", blank]], ["/ol.mjs", ["text/javascript", bundle.outputFiles[0].contents]]]);
  for (const name of ["maplibre-gl.mjs", "maplibre-gl-shared.mjs", "maplibre-gl-worker.mjs", "maplibre-gl.css"]) {
    files.set(`/${name}`, [name.endsWith("css") ? "text/css" : "text/javascript", await readFile(join(maplibre, name))]);
  }
  const server = createServer((request, response) => {
    const [type, body] = files.get(request.url) ?? ["text/plain", undefined];
    response.writeHead(body ? 200 : 404, { "Content-Type": type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => new Promise((resolve) => server.close(resolve)) };
}

/** Opens the page and records what it asks the server for, and what it complains about. */
export async function openOther(browser, url, viewport = { width: 900, height: 700 }) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const complaints = [];
  const answers = [];
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("console", (m) => { if (m.type() === "error") complaints.push(m.text()); });
  page.on("requestfailed", (r) => complaints.push(`${r.url()} failed: ${r.failure()?.errorText}`));
  page.on("response", (r) => { if (!r.url().startsWith(url)) answers.push({ url: r.url(), status: r.status() }); });
  await page.goto(`${url}/`);
  return { page, complaints, answers, close: () => context.close() };
}

/** Starts MapLibre with a style, an address or an object; window.map and window.mapErrors are its. */
export async function startMapLibre(page, style, view) {
  await page.evaluate(async ({ style, view }) => {
    const { Map, setWorkerUrl } = await import("/maplibre-gl.mjs");
    setWorkerUrl(new URL("/maplibre-gl-worker.mjs", location.href).href);
    window.mapErrors = [];
    window.map = new Map({ container: "map", style, fadeDuration: 0, attributionControl: false, ...view });
    window.map.on("error", (e) => window.mapErrors.push(String(e.error ?? e)));
  }, { style, view });
  await idle(page);
}

/** Waits until MapLibre has drawn everything, or has nothing to draw from. */
export function idle(page) {
  return page.evaluate(() => new Promise((resolve) => {
    window.map.once("idle", resolve);
    window.map.triggerRepaint();
  }));
}

/** The ids of what MapLibre draws in layers of its style. */
export function renderedIds(page, layers) {
  return page.evaluate((layers) => [...new Set(window.map.queryRenderedFeatures({ layers }).map((f) => f.id))].sort((a, b) => a - b), layers);
}

/** The corners of what MapLibre shows, a number of pixels inside the edge (outside where it is negative). */
export function cornersOf(page, inside) {
  return page.evaluate((inside) => {
    const { width, height } = window.map.getContainer().getBoundingClientRect();
    const low = window.map.unproject([inside, height - inside]);
    const high = window.map.unproject([width - inside, inside]);
    return [low.lng, low.lat, high.lng, high.lat];
  }, inside);
}
