// The page in a real Chromium against a running server with the demo's data.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import proj4 from "proj4";
import { fingerprint, pixelColours, pixelOf } from "./browser.mjs";
import { open, server } from "./suite.mjs";

/** Where the demo has a heritage zone in which a bulky mast is refused. */
const heritage = { lon: 103.0165, lat: 21.3826 };

/** A place whose VN-2000 / TM-3 103°00′ coordinates are known from PROJ. */
const gridPoint = { lonLat: [103.030279, 21.404416], east: 502943.1, north: 2367722.634 };

const get = async (path) => (await fetch(server.url + path)).json();

/** The feature of a point layer that is farthest from its nearest neighbour: easy to hit. */
async function loneliest(collection) {
  const { features } = await get(`/api/v1/collections/${collection}/items?limit=10000`);
  const nearest = ({ id, geometry: { coordinates: [x, y] } }) => Math.min(...features.filter((f) => f.id !== id)
    .map(({ geometry: { coordinates: [u, v] } }) => Math.hypot(u - x, v - y)));
  return features.map((f) => ({ f, apart: nearest(f) })).reduce((a, b) => (b.apart > a.apart ? b : a)).f;
}

const row = (page, layer) => page.locator(`li[data-layer="${layer}"]`);

describe("the page", { timeout: 300_000 }, () => {
  test("loads without complaint and asks no other host", async () => {
    const { page, requests, complaints } = await open();
    assert.equal(await page.locator("#notices .notice").count(), 0);
    assert.deepEqual(complaints, []);
    const own = requests.filter((r) => r.startsWith(`${server.url}/`));
    assert.ok(own.some((r) => r.includes("/api/v1/collections/bts_sites/items")), "the recorder sees requests");
    assert.deepEqual(requests.filter((r) => !r.startsWith(`${server.url}/`) && !r.startsWith("data:")), []);
  });

  test("the recorder would see another host and the policy stops it", async () => {
    const { page, requests, complaints } = await open();
    await page.evaluate(() => fetch("http://elsewhere.invalid/tile.png").catch(() => {}));
    const refused = complaints.some((c) => c.includes("Content Security Policy"));
    assert.ok(refused || requests.some((r) => r.includes("elsewhere.invalid")), complaints.join("\n"));
    assert.ok(refused, "the Content-Security-Policy refuses other hosts");
  });

  test("shows the reference date", async () => {
    const { page } = await open();
    const { reference_date: date } = await get("/ui/layers.json");
    assert.equal(await page.locator("#reference-date time").getAttribute("datetime"), date);
  });

  test("lists every layer with its count, and each can be switched on and is drawn", async () => {
    const { page, complaints } = await open();
    const { layers } = await get("/ui/layers.json");
    assert.equal(await page.locator("li[data-layer]").count(), layers.length);
    for (const { name } of layers) {
      const box = page.locator(`#layer-${name}`);
      if (await box.isChecked()) await box.uncheck();
    }
    const empty = await fingerprint(page);
    for (const { name } of layers) {
      const { numberMatched } = await get(`/api/v1/collections/${name}/items?limit=1`);
      await page.locator(`#layer-${name}`).check();
      await row(page, name).and(page.locator('[data-state="drawn"]')).waitFor();
      assert.equal(await row(page, name).getAttribute("data-count"), String(numberMatched), name);
      assert.equal(await row(page, name).getAttribute("data-drawn"), String(numberMatched), name);
      if (numberMatched > 0) assert.notEqual(await fingerprint(page), empty, `${name} shows on the map`);
      await page.locator(`#layer-${name}`).uncheck();
      assert.equal(await fingerprint(page), empty, `${name} is gone when switched off`);
    }
    assert.deepEqual(complaints, []);
  });

  test("a layer is downloaded in the formats that the server offers", async () => {
    const { page, complaints } = await open();
    const { links } = await get("/api/v1/collections/exchanges");
    const menu = row(page, "exchanges").locator(".download");
    await menu.locator("summary").click();
    await menu.locator("a").first().waitFor();
    assert.deepEqual(await menu.locator("a").allTextContents(), links.filter((l) => l.rel === "enclosure").map((l) => l.title));
    const [file] = await Promise.all([page.waitForEvent("download"), menu.getByText("CSV", { exact: true }).click()]);
    const { reference_date: date } = await get("/ui/layers.json");
    assert.equal(file.suggestedFilename(), `exchanges-${date}.csv`);
    const sent = await (await fetch(`${server.url}/api/v1/collections/exchanges/download?f=csv`)).text();
    assert.equal(await readFile(await file.path(), "utf8"), sent);
    assert.deepEqual(complaints, []);
  });

  test("a layer of many pages is read to the end", async () => {
    const { page, requests } = await open();
    const { numberMatched } = await get("/api/v1/collections/communes/items?limit=1");
    assert.ok(numberMatched > 50);
    await page.route("**/communes/items?*limit=10000*", (route) =>
      route.continue({ url: route.request().url().replace("limit=10000", "limit=50") }));
    await page.locator("#layer-communes").check();
    await row(page, "communes").and(page.locator('[data-state="drawn"]')).waitFor();
    assert.equal(await row(page, "communes").getAttribute("data-drawn"), String(numberMatched));
    const pages = requests.filter((r) => r.includes("/communes/items") && !r.endsWith("limit=1"));
    assert.equal(pages.length, Math.ceil(numberMatched / 50));
  });

  test("a layer that fails says so, and can be tried again", async () => {
    const { page } = await open();
    await page.route("**/kiosks/items?*", (route) => route.abort());
    await page.locator("#layer-kiosks").check();
    await row(page, "kiosks").and(page.locator('[data-state="failed"]')).waitFor();
    assert.match(await page.locator("#notices .notice").innerText(), /Không kết nối được/);
    await page.unroute("**/kiosks/items?*");
    await page.locator("#layer-kiosks").uncheck();
    await page.locator("#layer-kiosks").check();
    await row(page, "kiosks").and(page.locator('[data-state="drawn"]')).waitFor();
  });

  test("coordinates are those of the grid", async () => {
    const { page } = await open();
    const { grid } = await get("/ui/layers.json");
    const [east, north] = proj4("EPSG:4326", grid.proj4, gridPoint.lonLat);
    assert.ok(Math.hypot(east - gridPoint.east, north - gridPoint.north) < 0.1, `${east} ${north}`);
    const [x, y] = await pixelOf(page, ...gridPoint.lonLat);
    await page.mouse.move(x, y);
    const shown = (await page.locator("#coordinates").innerText()).match(/E ([\d.]+)\s+N ([\d.]+)/).slice(1).map((n) => Number(n.replaceAll(".", "")));
    const pixel = Number(await page.locator("#map").getAttribute("data-resolution"));
    assert.ok(Math.hypot(shown[0] - gridPoint.east, shown[1] - gridPoint.north) <= 2 * pixel, `${shown} within two pixels of ${pixel} m`);
  });

  test("a click on a feature shows its attributes", async () => {
    const { page } = await open();
    await page.locator("#layer-postal_points").uncheck();
    const { properties, geometry } = await loneliest("bts_sites");
    const [x, y] = await pixelOf(page, ...geometry.coordinates);
    await page.mouse.click(x, y);
    const card = page.locator("#card");
    await card.locator('tr[data-field="code"]').waitFor();
    await turnTo(card, properties.code);
    if (properties.illustrative) assert.match(await card.locator(".illustrative").innerText(), /Minh họa/);
    await page.locator("#language-en").click();
    if (properties.illustrative) assert.match(await card.locator(".illustrative").innerText(), /Illustrative/);
    await page.keyboard.press("Escape");
    assert.ok(await card.isHidden());
  });

  test("the language is the browser's, can be changed, and is remembered", async () => {
    const { page } = await open({ locale: "en-GB" });
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    await page.locator("#language-vi").click();
    assert.equal(await page.locator("#tab-check").innerText(), "Kiểm tra cột");
    await page.reload();
    await page.locator("body[data-ready]").waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "vi");
    const other = await open({ locale: "fr-FR" });
    assert.equal(await other.page.locator("html").getAttribute("lang"), "vi", "Vietnamese where the browser asks neither");
  });
});

/** Some features lie over each other: turns the card's leaves until the one with the code shows. */
async function turnTo(card, code) {
  const shown = () => card.locator('tr[data-field="code"] td').innerText();
  for (let leaf = 0; leaf < 60 && (await shown()) !== code; leaf++) {
    assert.equal(await card.locator("#feature-next").count(), 1, `${code} is not at the place clicked`);
    await card.locator("#feature-next").click();
  }
  assert.equal(await shown(), code);
}

describe("checking a mast", { timeout: 120_000 }, () => {
  async function fill(page) {
    await page.locator("#tab-check").click();
    await page.locator("#check-type").selectOption("A2b");
    await page.locator("#check-lon").fill(String(heritage.lon));
    await page.locator("#check-lat").fill(String(heritage.lat));
  }

  test("is refused in the heritage zone, in both languages", async () => {
    const { page, complaints } = await open();
    await fill(page);
    await page.locator("#check-submit").click();
    const verdict = page.locator("#verdict");
    assert.equal(await verdict.getAttribute("data-verdict"), "refused");
    assert.equal(await verdict.innerText(), "Không được phép");
    const rule = page.locator('.finding[data-rule="ZONE-b"][data-outcome="fail"]');
    const vietnamese = await rule.locator(".message").innerText();
    await page.locator("#language-en").click();
    assert.equal(await verdict.innerText(), "Refused");
    assert.notEqual(await rule.locator(".message").innerText(), vietnamese);
    assert.deepEqual(complaints, []);
  });

  test("the operators come later, into a form that somebody has begun to fill in", async () => {
    const { page } = await open();
    let send;
    const held = new Promise((resolve) => { send = resolve; });
    await page.route("**/api/v1/indicators?level=province", async (route) => { await held; await route.continue(); });
    await page.locator("#tab-check").click();
    await page.locator("#check-lat").pressSequentially("21.38");
    send();
    await page.locator("#check-operator option", { hasText: "VNPT" }).waitFor({ state: "attached" });
    await page.keyboard.type("26");
    assert.equal(await page.locator("#check-lat").inputValue(), "21.3826", "whoever types goes on typing");
  });

  test("a click on the map checks that place", async () => {
    const { page } = await open();
    await page.locator("#tab-check").click();
    await page.locator("#check-type").selectOption("A1a");
    const [x, y] = await pixelOf(page, heritage.lon, heritage.lat);
    await page.mouse.click(x, y);
    await page.locator("#verdict").waitFor();
    const lon = Number(await page.locator("#check-lon").inputValue());
    const metresPerPixel = Number(await page.locator("#map").getAttribute("data-resolution"));
    assert.ok(Math.abs(lon - heritage.lon) * 111_320 <= metresPerPixel, `${lon} is within a pixel of ${heritage.lon}`);
  });

  test("the server's problem and the page's own are shown", async () => {
    const { page } = await open();
    await fill(page);
    await page.locator("#check-lat").fill("91");
    await page.locator("#check-submit").click();
    assert.match(await page.locator("#notices .notice").innerText(), /−90 đến 90/);
    await page.route("**/placement-checks", (route) => route.fulfill({
      status: 503, contentType: "application/problem+json",
      body: JSON.stringify({ title: "Tạm dừng", detail: "Hãy thử lại sau.", status: 503, request_id: "r-17", errors: [{ pointer: "/lat", detail: "Sai." }] }),
    }));
    await page.locator("#check-lat").fill("21.4");
    await page.locator("#check-submit").click();
    const notice = page.locator("#notices .notice", { hasText: "Tạm dừng" });
    for (const part of [/Hãy thử lại sau\./, /\/lat: Sai\./, /r-17/]) assert.match(await notice.innerText(), part);
    await notice.getByRole("button", { name: "Đóng" }).click();
    assert.equal(await notice.count(), 0);
  });
});

describe("indicators", { timeout: 120_000 }, () => {
  test("colour the districts, and a click shows how a figure was counted", async () => {
    const { page, complaints } = await open();
    const plain = await fingerprint(page);
    await page.locator("#tab-indicators").click();
    const panel = page.locator('.indicators[data-state="ready"]');
    await panel.waitFor();
    const first = await fingerprint(page);
    assert.notEqual(first, plain);
    const { units } = await get("/api/v1/indicators?level=district");
    await hasColours(page, panel);
    assert.equal(await panel.locator(".units button").count(), units.length);
    const ids = await panel.locator("#indicator-id option").evaluateAll((o) => o.map((x) => x.value));
    assert.deepEqual(ids, [...new Set(units.flatMap((u) => u.indicators.map((i) => i.id)))]);
    await panel.locator("#indicator-id").selectOption(ids.find((id) => id === "shared_site_ratio") ?? ids[1]);
    assert.notEqual(await fingerprint(page), first, "another indicator, another map");
    await hasColours(page, panel);

    const unit = units[0].unit;
    await panel.locator(`.units button[data-code="${unit.code}"]`).click();
    const figures = page.locator('#card section[data-indicator="mean_service_radius_m"]');
    await figures.waitFor();
    assert.equal(await page.locator("#card [data-unit]").getAttribute("data-unit"), unit.code);
    assert.match(await figures.innerText(), /÷/);
    assert.match(await figures.innerText(), /không phải vùng phủ sóng/);
    assert.match(await figures.innerText(), /Cách tính/);
    assert.deepEqual(complaints, []);
  });

  test("a click on a district opens it", async () => {
    const { page } = await open();
    await page.locator("#tab-indicators").click();
    await page.locator('.indicators[data-state="ready"]').waitFor();
    await fingerprint(page);
    await page.mouse.click(...(await pixelOf(page, heritage.lon, heritage.lat)));
    await page.locator("#card [data-unit]").waitFor();
    assert.notEqual(await page.locator("#card [data-unit]").getAttribute("data-unit"), "");
  });
});

/** The map holds the colours of the list beside it, and they are several. */
async function hasColours(page, panel) {
  const used = new Set(await panel.locator(".units .swatch").evaluateAll((all) => all.map((s) => {
    const [r, g, b] = getComputedStyle(s).backgroundColor.match(/\d+/g);
    return `${r},${g},${b}`;
  })));
  assert.ok(used.size > 1, `several colours: ${[...used]}`);
  const pixels = await pixelColours(page);
  for (const colour of used) assert.ok((pixels[colour] ?? 0) > 20, `${colour} is on the map`);
}

describe("without a mouse", { timeout: 120_000 }, () => {
  test("Tab reaches language, tabs, layers and map; arrows change the tab; Enter picks the centre", async () => {
    const { page } = await open();
    const seen = [];
    await page.evaluate(() => document.body.focus());
    for (let i = 0; i < 60 && seen.at(-1) !== "map"; i++) {
      await page.keyboard.press("Tab");
      seen.push(await page.evaluate(() => document.activeElement?.id ?? ""));
    }
    for (const id of ["language-vi", "language-en", "tab-layers", "layer-bts_sites", "layer-roads", "map"]) {
      assert.ok(seen.includes(id), `${id} in ${seen.join(" ")}`);
    }
    await page.locator("#tab-layers").focus();
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "tab-check");
    await page.locator("#map").focus();
    await page.keyboard.press("Enter");
    await page.locator("#verdict").waitFor();
  });

  test("a layer is switched with the space bar", async () => {
    const { page } = await open();
    await page.locator("#layer-kiosks").focus();
    await page.keyboard.press("Space");
    await row(page, "kiosks").and(page.locator('[data-state="drawn"]')).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "layer-kiosks");
  });

  test("on a phone nothing is wider than the screen and the panel folds", async () => {
    const { page } = await open({ viewport: { width: 390, height: 800 } });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    const before = await page.locator("#map").evaluate((m) => m.clientHeight);
    await page.locator(".fold").click();
    assert.ok((await page.locator("#map").evaluate((m) => m.clientHeight)) > before);
  });
});
