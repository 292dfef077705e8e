// Searching: what is found is what the API finds, and a hit is shown on the map.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { open, server } from "./suite.mjs";

const found = async (q) => (await (await fetch(`${server.url}/api/v1/search?limit=8&q=${encodeURIComponent(q)}`)).json());
const box = (page) => page.locator("#search");
const options = (page) => page.locator('#search-hits [role="option"]');

/** Types, and waits until the list is of what was typed. */
async function search(page, text) {
  await Promise.all([page.waitForResponse((r) => r.url().includes(`/search?q=${encodeURIComponent(text).replaceAll("%20", "+")}&`)), box(page).fill(text)]);
  await page.locator('#search[aria-expanded="true"]').waitFor();
}

describe("searching", { timeout: 120_000 }, () => {
  test("with keys alone, without marks on the letters", async () => {
    const { page, complaints } = await open();
    const { hits } = await found("muong ang");
    assert.ok(hits.length > 1);
    await search(page, "muong ang");
    assert.deepEqual(await options(page).evaluateAll((all) => all.map((o) => `${o.dataset.collection}/${o.dataset.id}`)), hits.map((h) => `${h.collection}/${h.id}`));
    assert.equal(await box(page).getAttribute("aria-activedescendant"), "search-hit-0");
    await box(page).press("ArrowDown");
    assert.equal(await options(page).nth(1).getAttribute("aria-selected"), "true");
    const before = await page.locator("#map").getAttribute("data-centre");
    await box(page).press("Enter");
    await page.locator("#card h2", { hasText: hits[1].name ?? hits[1].code }).waitFor();
    assert.equal(await page.locator('#card tr[data-field="id"] td').textContent(), String(hits[1].id));
    await page.waitForFunction((was) => document.getElementById("map").dataset.centre !== was, before);
    assert.equal(await box(page).getAttribute("aria-expanded"), "false");
    assert.deepEqual(complaints, []);
  });

  test("with the mouse, and a hit in a layer that is off", async () => {
    const { page } = await open();
    const kiosks = await (await fetch(`${server.url}/api/v1/collections/kiosks/items?limit=1`)).json();
    const { code, name } = kiosks.features[0].properties;
    await search(page, code);
    await options(page).first().click();
    await page.locator("#card h2", { hasText: name ?? code }).waitFor();
  });

  test("Escape closes the list and leaves the card; another language keeps the text", async () => {
    const { page } = await open();
    await search(page, "muong ang");
    await box(page).press("Enter");
    await page.locator("#card h2").waitFor();
    await box(page).press("ArrowDown");
    await page.locator('#search[aria-expanded="true"]').waitFor();
    await box(page).press("Escape");
    assert.equal(await page.locator("#search-hits").isVisible(), false);
    assert.ok(await page.locator("#card h2").isVisible());
    await page.locator("#language-en").click();
    assert.equal(await box(page).inputValue(), "muong ang");
    assert.equal(await box(page).getAttribute("aria-label"), "Search by name or code");
    await search(page, "zzzz qqqq");
    assert.equal(await page.locator("#search-hits .said").textContent(), "Nothing found");
    await box(page).press("Enter"); // takes nothing
  });
});
