// Map clients that others use, on pages of another origin, against a running server with
// the demo's data: what they draw is what items have.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { VectorTile } from "@mapbox/vector-tile";
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { PbfReader } from "pbf";
import { cornersOf, idle, openOther, renderedIds, startMapLibre, startOther } from "./maps.mjs";
import { browser, server } from "./suite.mjs";

const api = `${server.url}/api/v1`;
const city = { center: [103.0165, 21.3826], zoom: 14 };
let other;
let opened = [];

before(async () => { other = await startOther(); });
after(() => other.stop());
afterEach(async () => {
  await Promise.all(opened.map((o) => o.close()));
  opened = [];
});

async function open() {
  const o = await openOther(browser, other.url);
  opened.push(o);
  return o;
}

const get = async (path) => (await fetch(api + path)).json();

const byNumber = (a, b) => a - b;

/** The features of items in a box, by id. */
async function itemsIn(collection, box, more = "") {
  const { features, numberReturned, numberMatched } = await get(`/collections/${collection}/items?limit=10000&bbox=${box.join()}${more}`);
  assert.equal(numberReturned, numberMatched);
  return new Map(features.map((f) => [f.id, f]));
}

/** Fails unless the ids are those of items in the view, give or take what lies across its edge. */
async function drawsTheItems(page, collection, ids, more) {
  const edge = 12; // pixels: more than a symbol or a line is wide
  const within = await itemsIn(collection, await cornersOf(page, edge), more);
  const about = await itemsIn(collection, await cornersOf(page, -edge), more);
  assert.deepEqual([...within.keys()].filter((id) => !ids.includes(id)), [], `${collection}: items that are not drawn`);
  assert.deepEqual(ids.filter((id) => !about.has(id)), [], `${collection}: drawn, and no items`);
  return within.size;
}

/** Fails on whatever the page complains of. */
async function isContent({ page, complaints, answers }) {
  assert.deepEqual(await page.evaluate(() => window.mapErrors ?? []), []);
  assert.deepEqual(complaints, []);
  assert.deepEqual(answers.filter((a) => ![200, 204].includes(a.status)), []);
}

describe("MapLibre", { timeout: 300_000 }, () => {
  test("draws the default style: every layer has the features of items, one by one", async () => {
    const o = await open();
    await startMapLibre(o.page, `${api}/styles/default`, city);
    let total = 0;
    for (const collection of ["bts_sites", "operator_positions", "postal_points", "wifi_points", "settlements", "roads", "cable_segments", "mail_routes", "mast_zones", "underground_zones"]) {
      total += await drawsTheItems(o.page, collection, await renderedIds(o.page, [collection]));
    }
    assert.ok(total > 100, `${total} features in the view`);
    const drawn = await o.page.evaluate(() => window.map.queryRenderedFeatures({ layers: ["bts_sites"] }).map((f) => [f.id, f.properties]));
    const items = await itemsIn("bts_sites", await cornersOf(o.page, -20));
    for (const [id, properties] of drawn) {
      for (const [name, value] of Object.entries(properties)) {
        const item = items.get(id).properties[name];
        assert.equal(value, Array.isArray(item) ? item.join() : item, `${name} of ${id}`);
      }
    }
    await isContent(o);
  });

  test("every style is sound by MapLibre's specification, and those drawn alone load", async () => {
    const { styles } = await get("/styles");
    assert.ok(styles.length > 20);
    const o = await open();
    await startMapLibre(o.page, `${api}/styles/default`, { ...city, zoom: 9 });
    for (const { id, links } of styles) {
      const { href } = links.find((l) => l.rel === "stylesheet");
      const style = await (await fetch(href)).json();
      assert.deepEqual(validateStyleMin(style).map((e) => e.message), [], id);
      if (!["postal_points", "fibre_routes", "mast_zones", "communes"].includes(id)) continue; // one of each kind is drawn alone
      await o.page.evaluate((href) => new Promise((resolve) => {
        window.map.once("style.load", resolve);
        window.map.setStyle(href, { diff: false });
      }), href);
      await idle(o.page);
      assert.ok(await o.page.evaluate(() => window.map.isStyleLoaded()), id);
    }
    await isContent(o);
  });

  test("the validation would find a fault", () => {
    assert.notEqual(validateStyleMin({ version: 8, sources: {}, layers: [{ id: "x", type: "fill", source: "none" }] }).length, 0);
  });

  test("a feature across the edge of tiles has one state", async () => {
    const o = await open();
    const view = { center: [103.0165, 21.3826], zoom: 11 };
    await startMapLibre(o.page, `${api}/styles/communes`, view);
    const pieces = await o.page.evaluate(() => window.map.querySourceFeatures("hatang", { sourceLayer: "communes" }).map((f) => [f.id, f.properties.code]));
    const codes = new Map();
    for (const [id, code] of pieces) {
      assert.ok(Number.isInteger(id), `${id}`);
      assert.equal(codes.get(id) ?? code, code);
      codes.set(id, code);
    }
    assert.ok(codes.size < pieces.length, "no commune is in two tiles");
    const edge = (Math.round(((view.center[0] + 180) / 360) * 2 ** view.zoom) / 2 ** view.zoom) * 360 - 180;
    const across = await o.page.evaluate((edge) => {
      const at = (lng, lat) => window.map.queryRenderedFeatures(window.map.project([lng, lat]), { layers: ["communes"] })[0];
      for (let lat = 21.2; lat < 21.6; lat += 0.005) {
        const [west, east] = [at(edge - 0.002, lat), at(edge + 0.002, lat)];
        if (!west || west.id !== east?.id) continue;
        window.map.setFeatureState({ source: "hatang", sourceLayer: "communes", id: west.id }, { hover: true });
        return { lat, before: [west.state, east.state], after: [at(edge - 0.002, lat).state, at(edge + 0.002, lat).state] };
      }
      return undefined;
    }, edge);
    assert.deepEqual({ before: across?.before, after: across?.after }, { before: [{}, {}], after: [{ hover: true }, { hover: true }] });
    await isContent(o);
  });

  test("the world, the sea and far places are no errors", async () => {
    const o = await open();
    await startMapLibre(o.page, `${api}/styles/default`, { center: [103, 21], zoom: 2 });
    assert.ok((await renderedIds(o.page, ["bts_sites"])).length > 0, "the province shows on a map of the world");
    for (const view of [{ center: [179, 0], zoom: 2 }, { center: [-179, 80], zoom: 2 }, { center: [0, -84], zoom: 1 }, { center: [103, 21.4], zoom: 0 }, { center: [103.02, 21.39], zoom: 19 }]) {
      await o.page.evaluate((view) => { window.map.jumpTo(view); }, view);
      await idle(o.page);
    }
    // The document's bounds keep MapLibre from asking far away: here it is made to.
    const [tiles] = (await get("/tiles/WebMercatorQuad/tilejson")).tiles;
    await o.page.evaluate((tiles) => {
      window.map.addSource("far", { type: "vector", tiles: [tiles], maxzoom: 14 });
      window.map.addLayer({ id: "far", type: "circle", source: "far", "source-layer": "bts_sites" });
      window.map.jumpTo({ center: [10, 50], zoom: 9 });
    }, tiles);
    await idle(o.page);
    assert.ok(o.answers.some((a) => a.status === 204), "no tile was empty");
    await isContent(o);
  });

  test("a filter and a date go from the TileJSON to the map", async () => {
    const o = await open();
    const asked = `filter=${encodeURIComponent("mast_type = 'A2a'")}&datetime=2016-06-30`;
    await startMapLibre(o.page, {
      version: 8,
      sources: { some: { type: "vector", url: `${api}/collections/bts_sites/tiles/WebMercatorQuad/tilejson?${asked}` } },
      layers: [{ id: "some", type: "circle", source: "some", "source-layer": "bts_sites" }],
    }, city);
    const ids = await renderedIds(o.page, ["some"]);
    const all = await itemsIn("bts_sites", await cornersOf(o.page, 0));
    assert.ok(ids.length > 0 && ids.length < all.size, `${ids.length} of ${all.size}`);
    await drawsTheItems(o.page, "bts_sites", ids, `&${asked}`);
    await isContent(o);
  });

  test("items are a GeoJSON source", async () => {
    const o = await open();
    const box = "103,21.35,103.05,21.42";
    await startMapLibre(o.page, {
      version: 8,
      sources: { sites: { type: "geojson", data: `${api}/collections/bts_sites/items?limit=10000&bbox=${box}` } },
      layers: [{ id: "sites", type: "circle", source: "sites" }],
    }, { ...city, zoom: 12 });
    const items = await itemsIn("bts_sites", box.split(","));
    assert.deepEqual(await renderedIds(o.page, ["sites"]), [...items.keys()].sort(byNumber));
    await isContent(o);
  });

  test("a tile that there is not is an error that the page can read", async () => {
    const o = await open();
    const refused = await o.page.evaluate(async (api) => {
      const response = await fetch(`${api}/tiles/WebMercatorQuad/99/0/0`);
      return { status: response.status, title: (await response.json()).title, id: response.headers.get("X-Request-Id") };
    }, api);
    assert.equal(refused.status, 404);
    assert.ok(refused.title && refused.id);
  });
});

describe("OpenLayers", { timeout: 120_000 }, () => {
  /** Shows a layer, and answers the ids and codes that it has in the view. */
  const show = (page, kind, url) => page.evaluate(async ({ kind, url, city }) => {
    const ol = await import("/ol.mjs");
    const layers = {
      ogc: () => new ol.VectorTileLayer({ source: new ol.OGCVectorTile({ url, format: new ol.MVT() }) }),
      xyz: () => new ol.VectorTileLayer({ source: new ol.VectorTile({ url, format: new ol.MVT(), maxZoom: 14 }) }),
      geojson: () => new ol.VectorLayer({ source: new ol.VectorSource({ url, format: new ol.GeoJSON() }) }),
    };
    const layer = layers[kind]();
    const map = new ol.Map({ target: "map", layers: [layer], controls: [], view: new ol.View({ center: ol.fromLonLat(city.center), zoom: city.zoom + 1, constrainResolution: true }) });
    const source = layer.getSource();
    while (source.getState() === "loading") await new Promise((resolve) => source.once("change", resolve)); // it reads its documents
    await new Promise((resolve) => {
      map.once("rendercomplete", resolve);
      map.render();
    });
    const extent = map.getView().calculateExtent(map.getSize());
    const features = kind === "geojson" ? source.getFeaturesInExtent(extent) : layer.getFeaturesInExtent(extent);
    const found = {};
    for (const f of features) found[f.getId()] = f.get("code");
    return { found, box: ol.transformExtent(extent, "EPSG:3857", "EPSG:4326") };
  }, { kind, url, city });

  /** A tile has whole units: a place moves by less than this, degrees. */
  const unit = 360 / 2 ** 14 / 4096;

  for (const [kind, path] of [["ogc", "/collections/bts_sites/tiles/WebMercatorQuad"], ["xyz", "/collections/bts_sites/tiles/WebMercatorQuad/{z}/{y}/{x}"], ["geojson", "/collections/bts_sites/items?limit=10000"]]) {
    test(`shows the sites that items have: ${kind}`, async () => {
      const o = await open();
      const { found, box } = await show(o.page, kind, api + path);
      const pad = (by) => [box[0] - by, box[1] - by, box[2] + by, box[3] + by];
      const within = await itemsIn("bts_sites", pad(-unit));
      const about = await itemsIn("bts_sites", pad(unit));
      assert.ok(within.size > 20, `${within.size} sites in the view`);
      for (const [id, { properties }] of within) assert.equal(found[id], properties.code, `${id} is not shown`);
      for (const id of Object.keys(found)) assert.ok(about.has(Number(id)), `${id} is shown, and no item`);
      await isContent(o);
    });
  }

  test("shows areas that lie across tiles once, by their ids", async () => {
    const o = await open();
    const { found, box } = await show(o.page, "ogc", `${api}/collections/communes/tiles/WebMercatorQuad`);
    assert.deepEqual(Object.keys(found).map(Number).sort(byNumber), [...(await itemsIn("communes", box)).keys()].sort(byNumber));
    await isContent(o);
  });
});

describe("Mapbox's own decoder", { timeout: 60_000 }, () => {
  test("reads from a tile of all layers what items have there", async () => {
    const [zoom, column, row] = [14, Math.floor(((city.center[0] + 180) / 360) * 2 ** 14), 7195];
    const response = await fetch(`${api}/tiles/WebMercatorQuad/${zoom}/${row}/${column}`);
    const tile = new VectorTile(new PbfReader(new Uint8Array(await response.arrayBuffer())));
    const degrees = (x, y) => [(x / 2 ** zoom) * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / 2 ** zoom))) * 180) / Math.PI];
    const box = (margin) => [...degrees(column - margin, row + 1 + margin), ...degrees(column + 1 + margin, row - margin)];
    const [buffer, units] = [64 / 4096, 2 / 4096];
    let compared = 0;
    for (const [name, layer] of Object.entries(tile.layers)) {
      assert.deepEqual([layer.version, layer.extent], [2, 4096], name);
      const [within, about] = [await itemsIn(name, box(buffer - units)), await itemsIn(name, box(buffer + units))];
      const ids = new Set();
      for (let i = 0; i < layer.length; i++) {
        const feature = layer.feature(i);
        const item = about.get(feature.id);
        assert.ok(item && !ids.has(feature.id), `${name} ${feature.id}`);
        ids.add(feature.id);
        const given = Object.fromEntries(Object.entries(item.properties).filter(([, value]) => value !== null).map(([key, value]) => [key, Array.isArray(value) ? value.join() : value]));
        assert.deepEqual({ ...feature.properties }, given, `${name} ${feature.id}`);
        if (item.geometry.type === "Point") {
          const place = feature.toGeoJSON(column, row, zoom).geometry.coordinates;
          for (const axis of [0, 1]) assert.ok(Math.abs(place[axis] - item.geometry.coordinates[axis]) < 360 / 2 ** zoom / 4096, `${name} ${feature.id} is at ${place}`);
        }
        compared++;
      }
      assert.deepEqual([...within.keys()].filter((id) => !ids.has(id)), [], `${name}: items that are not in the tile`);
    }
    assert.ok(compared > 50 && Object.keys(tile.layers).length > 8, `${compared} features of ${Object.keys(tile.layers)}`);
  });
});
