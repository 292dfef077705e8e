// Sharing through the department: asked, answered, mediated and agreed on the page; and notices that failed, sent again.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { asAdministrator, password, unexpected, withKey } from "./people.mjs";
import { open, server } from "./suite.mjs";

const person = (login, name, role, organisation) => ({ login: `share-${login}`, name, password, ...(organisation && { organisation }), grants: [{ role, layers: null, territory: "" }] });
const asker = person("hai", "Phạm Văn Hải", "operator", "VIETTEL");
const owner = person("van", "Trần Thị Vân", "operator", "VNPT");
const officer = person("lan", "Nguyễn Thị Lan", "officer");
const keeper = person("quan", "Lò Văn Quân", "administrator");
const narrow = { viewport: { width: 390, height: 844 } };
/** Masts of VNPT that stand and that VIETTEL is not on. */
let masts;

before(async () => {
  for (const one of [asker, owner, officer, keeper]) {
    const answer = await asAdministrator("POST", "/api/v1/people", one);
    assert.equal(answer.status, 201, await answer.text());
  }
  const items = async (collection, filter) => (await (await fetch(`${server.url}/api/v1/collections/${collection}/items?limit=1000&filter=${encodeURIComponent(filter)}`)).json()).features;
  const taken = new Set((await items("operator_positions", "operator = 'VIETTEL'")).map((f) => f.properties.site_code));
  masts = (await items("bts_sites", "owner_organisation = 'VNPT' AND status = 'existing'")).map((f) => f.properties.code).filter((code) => !taken.has(code));
  assert.ok(masts.length > 1);
}, { timeout: 300_000 });

const as = (one, options) => open({ until: "ready", ...options, person: one });
const said = (page, what) => page.locator("#share-said", { hasText: what }).waitFor();
const entry = (page, title) => page.locator("button.permit", { hasText: title });

async function openShare(page, title) {
  await page.locator("#tab-shares").click();
  await entry(page, title).click();
  await page.locator("#share-steps").waitFor();
}

async function step(page, action, fields = {}) {
  const place = page.locator(`[data-step="${action}"]`);
  if (!(await place.evaluate((d) => d.open))) await place.locator("> summary").click();
  for (const [name, value] of Object.entries(fields)) await page.locator(`#share-${action} [name="${name}"]`).fill(value);
  await page.locator(`#share-${action} button[type=submit]`).click();
}

const steps = (page) => page.locator("[data-step]").evaluateAll((all) => all.map((d) => d.dataset.step));

/** Finds a mast by its code and asks for it from its card. */
async function ask(page, code) {
  await page.locator("#search").fill(code);
  await page.locator('#search-hits [data-collection="bts_sites"]', { hasText: code }).first().click();
  await page.locator("#share-ask > summary").click();
  await page.locator("#ask-height_m").fill("25");
  await page.locator("#ask-technologies").fill("4G, 5G");
  await page.locator("#ask-reasons").fill("Phủ sóng bản mới");
  await page.locator("#share-ask-form button[type=submit]").click();
  await said(page, /Đã gửi|was sent/);
}

/** Nothing is wider than a phone's screen. */
async function fits(page, what) {
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, what);
  for (const part of ["#card:not([hidden])", '[role="tabpanel"]:not([hidden])', "#panel > .tabs"]) {
    for (const element of await page.locator(part).all()) assert.ok(await element.evaluate((e) => e.scrollWidth <= e.clientWidth), `${what}: ${part}`);
  }
}

describe("sharing", { timeout: 240_000 }, () => {
  test("a mast is asked for, declined, mediated and agreed on; the register counts it", async () => {
    const his = await as(asker);
    await ask(his.page, masts[0]);
    assert.deepEqual(await steps(his.page), ["withdraw"]);
    assert.match(await his.page.locator("#card").innerText(), /Độ cao \(m\): 25.*4G, 5G.*Phủ sóng bản mới/s);

    const hers = await as(owner, { ...narrow, locale: "en-GB" });
    await openShare(hers.page, masts[0]);
    assert.deepEqual(await steps(hers.page), ["accept", "decline"]);
    await fits(hers.page, "a request");
    await step(hers.page, "decline");
    assert.equal(await hers.page.locator("#share-decline-reasons").getAttribute("aria-invalid"), "true");
    await step(hers.page, "decline", { reasons: "The mast is full" });
    await hers.page.locator("#share-decline .problem").waitFor(); // what there is room for is said
    await step(hers.page, "decline", { places: "0", load_kg: "12.5" });
    await said(hers.page, "Declined");
    assert.deepEqual(await steps(hers.page), []);

    // The asker has read it before it was declined.
    await step(his.page, "withdraw", { reasons: "chờ lâu" });
    await said(his.page, "đã thay đổi");
    assert.equal(await his.page.locator("#share-withdraw-reasons").inputValue(), "chờ lâu");
    assert.match(await his.page.locator('.history [data-action="decline"]').innerText(), /Số chỗ còn trên cột: 0.*12,5/s);
    await step(his.page, "mediate");
    await said(his.page, "Đưa ra hòa giải");

    const theirs = await as(officer);
    await openShare(theirs.page, masts[0]);
    assert.deepEqual(await steps(theirs.page), ["agree", "refuse"]);
    const agreed = { "share-VNPT": "60.5", "share-VIETTEL": "39", terms: "thuê theo tháng", document_number: "12/BB", document_date: "2020-12-30" };
    await step(theirs.page, "agree", agreed);
    await theirs.page.locator("#share-agree .problem", { hasText: "100 %" }).waitFor();
    await step(theirs.page, "agree", { "share-VIETTEL": "39.5" });
    await said(theirs.page, "Thỏa thuận");
    await theirs.page.locator("#share-position").waitFor();
    assert.match(await theirs.page.locator('.history [data-action="agree"]').innerText(), /VIETTEL: 39,5 %.*VNPT: 60,5 %|VNPT: 60,5 %.*VIETTEL: 39,5 %/s);
    await theirs.page.locator("#share-register > summary").click();
    await theirs.page.locator("#share-register table").waitFor();
    assert.match(await theirs.page.locator("#share-register").innerText(), /2020.*Đề nghị\s+1.*đã thỏa thuận\s+1.*trung vị 0, dài nhất 0/s);
    const counts = await fetch(new URL(await theirs.page.locator("#shares-page").getAttribute("href"), server.url)); // as anybody
    assert.equal(counts.status, 200);
    assert.match(await counts.text(), /<th scope="row">2020<\/th>/);
    assert.deepEqual(unexpected([...his.complaints, ...hers.complaints, ...theirs.complaints]), []);
  });

  test("an offer is taken, and a notice leads to the request", async () => {
    const his = await as(asker, { locale: "en-GB" });
    await ask(his.page, masts[1]);
    const number = await his.page.locator("#card [data-share]").getAttribute("data-share");
    const hers = await as(owner);
    await hers.page.goto(`${server.url}/#sharing=${number}`);
    await hers.page.reload();
    await hers.page.locator(`#card [data-share="${number}"]`).waitFor();
    await step(hers.page, "accept", { places: "1", terms: "theo bảng giá" });
    await said(hers.page, "Chấp nhận");
    await his.page.locator("#card-close").click();
    await openShare(his.page, masts[1]);
    await step(his.page, "agree");
    await said(his.page, "Agreed");
    assert.deepEqual(await steps(his.page), []);
  });

  test("others are asked to build together at a place", async () => {
    const { page } = await as(asker, narrow);
    await page.locator("#tab-shares").click();
    await page.locator("#share-build > summary").click();
    await page.locator("#build-with-VNPT").waitFor();
    await fits(page, "the form");
    await page.locator("#build-lat").fill("21,4");
    await page.locator("#build-lon").fill("103.01");
    await page.locator("#build-reasons").fill("Khu dân cư mới");
    await page.locator("#share-build-form button[type=submit]").click();
    await page.locator("#share-build-form .problem", { hasText: "ít nhất một đơn vị" }).waitFor();
    await page.locator("#build-with-VNPT").check();
    await page.locator("#share-build-form button[type=submit]").click();
    await said(page, "Đã gửi");
    await fits(page, "building together");
  });
});

describe("notices", { timeout: 120_000 }, () => {
  test("that failed are shown to administrators and sent again", async () => {
    const { page } = await as(keeper);
    let again = "";
    const one = { id: 7, message: "x", proposal: null, sharing_request: "S-2020-0000-0000-0000", kind: "sharing_declined", made_at: "2026-01-05T02:00:00Z", party: "asker", person: "share-hai", organisation: null, state: "failed", attempts: 10, due_at: "2026-01-05T02:00:00Z", error: "550 no such user", ended_at: "2026-01-05T02:00:00Z" };
    await page.route("**/api/v1/notices**", (route) => {
      if (route.request().method() !== "POST") return route.fulfill({ json: { notices: route.request().url().includes("failed") ? [one] : [], links: [] } });
      again = new URL(route.request().url()).pathname;
      return route.fulfill({ status: 204 });
    });
    await page.locator("#session-button").click();
    await page.locator("#account-tab-notices").click();
    const row = page.locator('#account-panel-notices tr[data-id="7"]');
    assert.match(await row.innerText(), /không chấp nhận dùng chung.*share-hai.*không gửi được.*10 lần thử.*550 no such user/s);
    await row.getByRole("button", { name: "Gửi lại" }).click();
    await page.locator("#account .done", { hasText: "sẽ được gửi lại" }).waitFor();
    assert.equal(again, "/api/v1/notices/7/attempts");
    assert.match(await row.innerText(), /đang chờ gửi/);
    await page.locator("#notices-state").selectOption("delivered");
    await page.locator("#account-panel-notices .none").waitFor();
    const hidden = await withKey("none", "/api/v1/notices");
    assert.equal(hidden.status, 401);
    const others = await as(officer);
    await others.page.locator("#session-button").click();
    assert.equal(await others.page.locator("#account-tab-notices").count(), 0);
  });
});
