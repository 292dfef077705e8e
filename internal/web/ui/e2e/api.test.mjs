// The API's own pages in a real Chromium against a running server with the demo's data.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fingerprint, pixelColours, pixelOf } from "./browser.mjs";
import { openAt, server } from "./suite.mjs";

const sites = "/api/v1/collections/bts_sites/items";
const get = async (path) => (await fetch(server.url + path)).json();

/** Clicks on what leads to another page, and waits until that page is there to its end. */
async function follow(page, link) {
  await Promise.all([page.waitForEvent("load"), link.click()]);
}

/** Waits until the map has drawn what it has. */
async function drawn(page) {
  await page.locator('#map[data-state="ready"]').waitFor({ timeout: 30_000 });
  return Number(await page.locator("#map").getAttribute("data-drawn"));
}

/** The pixels of the map that have one of the legend's colours. */
async function legendPixels(page) {
  const colours = await page.locator(".legend [fill], .legend [stroke]").evaluateAll((all) => all.map((e) => e.getAttribute("fill") ?? e.getAttribute("stroke")));
  const counts = await pixelColours(page);
  return colours.filter((c) => c?.startsWith("#")).map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)).join(","))
    .reduce((sum, c) => sum + (counts[c] ?? 0), 0);
}

function clean({ requests, complaints }) {
  assert.deepEqual(complaints, []);
  assert.ok(requests.length > 0);
  assert.deepEqual(requests.filter((r) => !r.startsWith(`${server.url}/`) && !r.startsWith("data:")), []);
}

const words = {
  vi: { locale: "vi-VN", collections: "Các lớp dữ liệu", layer: "Vị trí cột ăng ten", items: "Xem các đối tượng", next: "Trang sau", other: "English", count: "50 trong 847 đối tượng", height: "Chiều cao (m)" },
  en: { locale: "en-GB", collections: "Collections", layer: "Mast sites", items: "Browse the features", next: "Next page", other: "Tiếng Việt", count: "50 of 847 features", height: "Height (m)" },
};

describe("the API's pages", { timeout: 300_000 }, () => {
  for (const [language, said] of Object.entries(words)) {
    test(`lead from the start to a feature, in ${language}`, async () => {
      const opened = await openAt("/api/v1", { locale: said.locale });
      const { page } = opened;
      assert.equal(await page.locator("html").getAttribute("lang"), language);
      await follow(page, page.locator("main").getByRole("link", { name: said.collections, exact: true }));
      const { collections } = await get("/api/v1/collections");
      assert.equal(await page.locator("tbody tr").count(), collections.length);
      await follow(page, page.locator("main").getByRole("link", { name: said.layer, exact: true }));
      await drawn(page);
      assert.ok(await legendPixels(page) > 500, "the tiles of the layer are drawn");
      await follow(page, page.getByRole("link", { name: said.items }));
      assert.equal(await drawn(page), 50);
      assert.ok(await legendPixels(page) > 500, "the features are drawn");
      assert.match(await page.locator(".count").innerText(), new RegExp(said.count));
      const first = page.locator("tr[data-id]").first();
      const id = await first.getAttribute("data-id");
      await follow(page, first.getByRole("link"));
      assert.equal(await drawn(page), 1);
      assert.ok(await legendPixels(page) > 50, "the feature is drawn");
      const { properties } = await get(`${sites}/${id}`);
      assert.equal(await page.locator("h1").innerText(), properties.name);
      assert.equal(await page.locator(".item tr", { hasText: said.height }).first().locator("td").innerText(),
        properties.height_m.toLocaleString(said.locale));
      await follow(page, page.getByRole("link", { name: said.other }));
      assert.equal(await page.locator("html").getAttribute("lang"), language === "vi" ? "en" : "vi");
      await follow(page, page.locator(".trail a").last());
      assert.equal(await page.locator("html").getAttribute("lang"), language === "vi" ? "en" : "vi", "the choice goes along");
      clean(opened);
    });
  }

  test("show every feature once, page by page, and go back", async () => {
    const opened = await openAt(`${sites}?limit=300`);
    const { page } = opened;
    const seen = [];
    for (let last = false; !last;) {
      seen.push(...await page.locator("tr[data-id]").evaluateAll((rows) => rows.map((r) => r.dataset.id)));
      await drawn(page);
      const next = page.getByRole("link", { name: words.vi.next }).first();
      last = (await next.count()) === 0;
      if (!last) await follow(page, next);
    }
    const { numberMatched } = await get(`${sites}?limit=1`);
    assert.equal(new Set(seen).size, numberMatched);
    assert.equal(seen.length, numberMatched);
    await page.goBack();
    assert.equal(await page.locator("tr[data-id]").first().getAttribute("data-id"), seen[300]);
    clean(opened);
  });

  test("select by a filter, and say what is wrong with one", async () => {
    const { page } = await openAt(sites);
    await page.locator("#filter").fill("mast_type = 'A1a'");
    await follow(page, page.locator(".select .primary"));
    const { numberMatched } = await get(`${sites}?limit=1&mast_type=A1a`);
    assert.match(await page.locator(".count").innerText(), new RegExp(`${numberMatched} trong ${numberMatched} `));
    assert.equal(await page.locator("#filter").inputValue(), "mast_type = 'A1a'");
    await page.locator("#filter").fill("mast_type = ");
    await follow(page, page.locator(".select .primary"));
    assert.match(await page.locator("#filter-help .wrong").innerText(), /ở byte/);
    assert.equal(await page.locator("#filter").inputValue(), "mast_type = ");
    assert.equal(await page.locator("#filter").getAttribute("aria-invalid"), "true");
  });

  test("select by what the map shows", async () => {
    const { page } = await openAt(`${sites}?limit=1000`);
    const all = await drawn(page);
    for (let i = 0; i < 3; i++) await page.locator(".ol-zoom-in").click();
    await fingerprint(page);
    await page.locator("#use-view").click();
    const box = await page.locator("#bbox").inputValue();
    assert.match(box, /^(-?\d+\.\d{5},){3}-?\d+\.\d{5}$/);
    await follow(page, page.locator(".select .primary"));
    const { numberMatched } = await get(`${sites}?limit=1&bbox=${box}`);
    assert.equal(await drawn(page), numberMatched);
    assert.ok(numberMatched > 0 && numberMatched < all, `${numberMatched} of ${all}`);
  });

  test("a click on the map finds the row, and a row its place", async () => {
    const { page } = await openAt(`${sites}?limit=1&code=HT-0001`);
    await drawn(page);
    const before = await fingerprint(page);
    const { features: [feature] } = await get(`${sites}?code=HT-0001`);
    // The page may scroll to the row: the pixel is another then.
    const click = async (aside) => {
      const [x, y] = await pixelOf(page, ...feature.geometry.coordinates);
      await page.mouse.click(x + aside, y);
    };
    await click(0);
    const link = page.locator("#map-said a");
    await link.waitFor();
    assert.equal(await link.innerText(), feature.properties.name);
    assert.equal(await page.locator("tr.marked").getAttribute("data-id"), String(feature.id));
    const marked = await fingerprint(page);
    assert.notEqual(marked, before, "it is marked on the map");
    await click(200);
    await page.locator("tr.marked").waitFor({ state: "detached" });
    assert.equal(await page.locator("#map-said a").count(), 0);
    assert.equal(await fingerprint(page), before);
    await page.locator("tr[data-id] td").first().hover();
    assert.equal(await fingerprint(page), marked, "the row under the pointer is marked, too");
    await click(0);
    await follow(page, link);
    assert.equal(new URL(page.url()).pathname, `${sites}/${feature.id}`);
  });

  test("say so when the map's data cannot be read", async () => {
    const { page } = await openAt("/api/v1/collections");
    await page.route("**/kiosks/items?*f=json*", (route) => route.abort());
    await page.goto(`${server.url}/api/v1/collections/kiosks/items`);
    await page.locator('#map[data-state="failed"]').waitFor();
    assert.match(await page.locator("#map-said").innerText(), /Không đọc được/);
  });

  test("work without scripts, but for the map", async () => {
    const { page } = await openAt(sites, { javaScriptEnabled: false });
    assert.ok(await page.locator(".map").isHidden());
    assert.ok(await page.locator("#use-view").isHidden());
    assert.equal(await page.locator("tr[data-id]").count(), 50);
    await page.locator("#limit").fill("3");
    await follow(page, page.locator(".select .primary"));
    assert.equal(await page.locator("tr[data-id]").count(), 3);
  });

  test("fit into a narrow window, and a wide one", async () => {
    for (const width of [360, 1600]) {
      const { page, complaints } = await openAt("/api/v1", { viewport: { width, height: 800 } });
      for (const path of ["/api/v1", "/api/v1/conformance", "/api/v1/openapi.html", "/api/v1/collections", "/api/v1/collections/roads", "/api/v1/collections/bts_sites/schema",
        sites, `${sites}/1`, "/api/v1/tiles/WebMercatorQuad", "/api/v1/tileMatrixSets/WebMercatorQuad", "/api/v1/styles/default"]) {
        await page.goto(server.url + path);
        for (const details of await page.locator("details").all()) await details.evaluate((d) => { d.open = true; });
        const over = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${path} is ${over} pixels too wide at ${width}`);
      }
      assert.deepEqual(complaints, []);
    }
  });

  test("an address that is not there is a page, too", async () => {
    const { page } = await openAt("/api/v1/nothing");
    assert.equal(await page.locator("h1").innerText(), "Không tìm thấy");
    assert.match(await page.locator("main").innerText(), /404/);
  });
});
