// Asking, filing and deciding: the page in a real Chromium against a running server with the demo's data.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { fingerprint, pixelOf } from "./browser.mjs";
import { asAdministrator, password, unexpected } from "./people.mjs";
import { open, server } from "./suite.mjs";

/** Where the demo has a heritage zone in which a bulky mast is refused, and a place a little to the north where it may stand. */
const heritage = { lon: "103.0165", lat: "21.3826" };

const everywhere = (role) => [{ role, layers: null, territory: "" }];
const person = (login, name, role, organisation) => ({ login: `permit-${login}`, name, password, ...(organisation && { organisation }), grants: everywhere(role) });
const operator = person("van", "Trần Thị Vân", "operator", "VNPT");
const officer = person("lan", "Nguyễn Thị Lan", "officer");
const approver = person("binh", "Lê Quốc Bình", "approver");
const agency = person("sxd", "Sở Xây dựng", "consulted", "SXD");
const insider = person("noi", "Đỗ Văn Nội", "approver", "VNPT");

before(async () => {
  for (const one of [operator, officer, approver, agency, insider]) {
    const answer = await asAdministrator("POST", "/api/v1/people", one);
    assert.equal(answer.status, 201, await answer.text());
  }
}, { timeout: 300_000 });

const as = (one, options) => open({ until: "ready", ...options, person: one });

async function check(page, { lon, lat } = heritage) {
  await page.locator("#tab-check").click();
  await page.locator("#check-lat").fill(lat);
  await page.locator("#check-lon").fill(lon);
  await page.locator("#check-submit").click();
  await page.locator("#verdict").waitFor();
}

/** Files a mast where it may stand, from its verdict, and answers the page with the proposal open. */
async function file(page, code) {
  await check(page, { lon: "103.0162952", lat: "21.3845685" });
  await page.locator("#card .filing > summary").click();
  await page.locator("#file-title").fill(`Cột ${code}`);
  await page.locator("#file-code").fill(code);
  await page.locator("#file-mast button[type=submit]").click();
  await said(page, /Đã nộp|was filed/);
}

const said = (page, what) => page.locator("#permit-said", { hasText: what }).waitFor();
const entry = (page, title) => page.locator("button.permit", { hasText: title });

/** Opens a proposal from the inbox. */
async function openPermit(page, title) {
  await page.locator("#tab-permits").click();
  await entry(page, title).click();
  await page.locator("#permit-steps").waitFor();
}

/** Takes a step; fields are those of its form by their ids. */
async function step(page, action, fields = {}) {
  const place = page.locator(`[data-step="${action}"]`);
  if (!(await place.evaluate((d) => d.open))) await place.locator("> summary").click();
  for (const [id, value] of Object.entries(fields)) {
    const control = page.locator(`#${id}`);
    if (value === true) await control.check();
    else if ((await control.evaluate((c) => c.tagName)) === "SELECT") await control.selectOption(value);
    else await control.fill(value);
  }
  await page.locator(`#step-${action} button[type=submit]`).click();
}

/** The papers that a part of the page leads to, as who has signed in gets them: how each begins, and of which number. */
const paper = (page, part) => part.locator("a[data-paper]").evaluateAll((all) => Promise.all(all.map(async (a) => {
  const answer = await fetch(a.href);
  return [a.dataset.paper, (await answer.text()).slice(0, 5).toLowerCase().replace("%pdf", "%PDF"), new URL(a.href).pathname.split("/").at(-1)];
})));

/** Attaches a file to the proposal that is open. */
async function attach(page, name) {
  await page.locator("#permit-files summary").click();
  await page.locator("#attach-chosen").setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(`Nội dung ${name}`) });
  await page.locator("#attach-file button[type=submit]").click();
  await said(page, name);
}

describe("asking", { timeout: 240_000 }, () => {
  test("a place is typed in degrees, minutes and seconds and on the grid; what is none is said", async () => {
    const { page, complaints } = await open();
    await page.locator("#tab-check").click();
    const asked = async (fields) => {
      for (const [id, value] of Object.entries(fields)) await page.locator(`#${id}`).fill(value);
      const [request] = await Promise.all([page.waitForRequest((r) => r.url().endsWith("/placement-checks")), page.locator("#check-submit").click()]);
      await page.locator("#verdict").waitFor();
      return request.postDataJSON();
    };
    for (const [lat, lon] of [["21.5", "103.25"], ["21,5°", "103,25"], ["21°30′N", "103°15'00\"E"], ["21 30 0", "103:15:0,0 E"], ["+21.5", "103.25 e"]]) {
      const { lat: north, lon: east } = await asked({ "check-lat": lat, "check-lon": lon });
      assert.deepEqual([north, east], [21.5, 103.25], `${lat}, ${lon}`);
    }
    const seconds = await asked({ "check-lat": "21°22′57.36″", "check-lon": "103°0′59,4″" });
    assert.ok(Math.abs(seconds.lat - 21.3826) < 1e-9 && Math.abs(seconds.lon - 103.0165) < 1e-9, JSON.stringify(seconds));
    for (const [lat, lon] of [["21°61′", "103"], ["91", "103"], ["21N", "103N"], ["21.5°30′", "103"], ["", "103"], ["abc", "103"]]) {
      await page.locator("#check-lat").fill(lat);
      await page.locator("#check-lon").fill(lon);
      await page.locator("#check-submit").click();
      const notice = page.locator("#notices .notice", { hasText: "−90 đến 90" });
      await notice.waitFor();
      await notice.getByRole("button").click();
    }
    // The province's grid stands first; the server takes the place back to WGS 84.
    const first = await page.locator("#check-system option").nth(1).getAttribute("value");
    const { grid } = await (await fetch(`${server.url}/ui/layers.json`)).json();
    assert.equal(first, grid.code);
    await page.locator("#check-system").selectOption(first);
    assert.deepEqual(await (({ crs, x, y }) => ({ crs, x, y }))(await asked({ "check-x": "2 367 722,634", "check-y": "502943.1" })), { crs: first, x: 502943.1, y: 2367722.634 });
    assert.match(await page.locator("#card .attributes").innerText(), /21,404416° N, 103,030279° E/);
    assert.match(await page.locator("#card .attributes").innerText(), /X 2\.367\.722,6 · Y 502\.943,1/);
    await page.locator("#check-x").fill("502943");
    await page.locator("#check-y").fill("2367722");
    await page.locator("#check-submit").click();
    await page.locator("#notices .notice", { hasText: "đổi chỗ" }).waitFor();
    assert.deepEqual(complaints, []);
  });

  test("findings are drawn, the one that is pointed at or has the focus is in the light, and all go with the card", async () => {
    const { page, complaints } = await open();
    await check(page); // the map moves there
    await page.locator("#card-close").click();
    await page.mouse.move(5, 5);
    const bare = await fingerprint(page);
    await page.mouse.click(...(await pixelOf(page, Number(heritage.lon), Number(heritage.lat))));
    await page.locator("#verdict").waitFor();
    await page.mouse.move(5, 5);
    const drawn = await fingerprint(page);
    await page.locator('.finding[data-rule="ZONE-b"]').hover();
    const lit = await fingerprint(page);
    assert.notEqual(lit, drawn, "the zone is in the light");
    await page.mouse.move(5, 5);
    assert.equal(await fingerprint(page), drawn);
    await page.locator('.finding[data-rule="ZONE-b"] .source summary').focus();
    assert.equal(await fingerprint(page), lit, "the focus lights it as the mouse does");
    await page.keyboard.press("Escape");
    assert.equal(await fingerprint(page), bare, "nothing of it stays");
    assert.deepEqual(complaints, []);
  });

  test("the nearest permitted place is found, and checked", async () => {
    const { page } = await open();
    await check(page);
    assert.equal(await page.locator("#verdict").getAttribute("data-verdict"), "refused");
    assert.equal(await page.locator("#record").count(), 0, "the public records nothing");
    assert.ok(await page.locator("#card .alternatives", { hasText: "dùng chung" }).count() > 0, "masts to share");
    await page.locator("#nearest button[type=submit]").click();
    await page.locator("#nearest-found", { hasText: /Nơi gần nhất .*21,\d{7}° N; 103,\d{7}° E/ }).waitFor();
    await page.locator("#nearest-check").click();
    await page.locator('#verdict:not([data-verdict="refused"])').waitFor();
  });

  test("a mast of the register is checked where it stands, without itself, and its draft is moved", async () => {
    const { page, complaints } = await as(officer);
    const draft = async (code, lon) => {
      const answer = await asAdministrator("POST", "/api/v1/collections/bts_sites/items", { type: "Feature", geometry: { type: "Point", coordinates: [lon, 21.144375] },
        properties: { code, valid_from: "2019-01-01", jurisdiction: "11", status: "draft", owner_organisation: "VNPT", mast_type: "A2b", height_m: 42, structure: "self_supporting" } });
      assert.equal(answer.status, 201, await answer.text());
      return Number(answer.headers.get("Location").split("/").at(-1));
    };
    await draft("MOVE-1", 103.226566);
    const id = await draft("MOVE-2", 103.226566);
    await page.locator("#search").fill("MOVE-2");
    await page.locator("#search-hits [role=option]", { hasText: "MOVE-2" }).first().click();
    await page.locator("#feature-check").click();
    await page.locator("#verdict").waitFor();
    assert.match(await page.locator("#check-about").innerText(), /MOVE-2/);
    const met = async () => (await page.locator(".finding .message").allInnerTexts()).join(" ");
    assert.match(await met(), /MOVE-1/, "its neighbour in the same spot counts");
    assert.doesNotMatch(await met(), /MOVE-2/, "it does not count itself");
    // A little farther on the same mast is asked about, from there it is moved.
    await page.locator("#check-lon").fill("103.24");
    const [asked] = await Promise.all([page.waitForRequest((r) => r.url().endsWith("/placement-checks")), page.locator("#check-submit").click()]);
    assert.equal(asked.postDataJSON().feature, id);
    await page.locator("#move button[type=submit]").click();
    await page.locator("#moved", { hasText: "MOVE-2" }).waitFor();
    const row = await (await asAdministrator("GET", `/api/v1/collections/bts_sites/items/${id}`)).json();
    assert.deepEqual(row.geometry.coordinates, [103.24, 21.144375]);
    await page.locator("#check-another").click();
    assert.equal(await page.locator("#check-about").count(), 0);
    assert.deepEqual(unexpected(complaints), []);
  });

  test("a verdict is recorded with a number, and its signature holds", async () => {
    const { page, complaints } = await as(officer);
    await check(page);
    assert.equal(await page.locator("#file-mast").count(), 0, "an officer files nothing");
    await page.locator("#record button[type=submit]").click();
    const number = await page.locator("#recorded").innerText();
    const address = await page.locator("#record-verify").getAttribute("href");
    const { valid, verdict, number: told } = await (await fetch(server.url + address)).json();
    assert.deepEqual({ valid, verdict, told }, { valid: true, verdict: "refused", told: number });
    assert.deepEqual(await paper(page, page.locator("#record")), [["pdf", "%PDF-", number], ["html", "<!doc", number]]);
    assert.deepEqual(unexpected(complaints), []);
  });
});

describe("a file", { timeout: 180_000 }, () => {
  const csv = "code;lon;lat;mast_type;height_m;structure\nE-1;103,0165;21,3826;A2b;42;self_supporting\nE-2;103,04;21,43;A2b;42;self_supporting\nE-3;103,0401;21,4301;A2b;42;self_supporting\nE-4;103,05;21,44;A9;42;\n";
  const choose = async (page, name, mimeType, text) => {
    const files = page.locator(".files");
    await page.locator("#tab-check").click();
    if (!(await files.evaluate((d) => d.open))) await files.locator("> summary").click();
    await page.locator("#check-file-chosen").setInputFiles({ name, mimeType, buffer: Buffer.from(text) });
    await page.locator("#check-file button[type=submit]").click();
    await page.locator("#file-result h3", { hasText: name }).waitFor();
    return page.locator("#file-summary li").evaluateAll((all) => Object.fromEntries(all.map((li) => [li.dataset.verdict, Number(li.dataset.count)])));
  };
  const download = async (page, format) => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator("#file-result .inline button", { hasText: format }).click()]);
    return { name: file.suggestedFilename(), data: await readFile(await file.path()) };
  };

  test("of masts is checked, also against itself, and comes back with verdicts", async () => {
    const { page, complaints } = await open();
    assert.deepEqual(await choose(page, "masts.csv", "text/csv", csv), { conditional: 2, refused: 1, invalid: 1 });
    assert.ok(await page.locator("#file-summary").evaluate((list) => {
      const [inner, outer] = [list.getBoundingClientRect(), list.closest('[role="tabpanel"]').getBoundingClientRect()];
      return inner.top >= outer.top && inner.bottom <= outer.bottom;
    }), "the summary is in view");
    await page.locator(".rowlist summary", { hasText: "E-2" }).click();
    const other = page.locator('.rowlist .finding[data-outcome="fail"]', { hasText: "E-3" });
    await other.getByRole("button").click(); // the other row is on the map
    await page.locator(".rowlist summary", { hasText: "E-4" }).click();
    await page.locator(".rowlist .problem", { hasText: "mast_type" }).waitFor();
    const back = await download(page, "CSV");
    assert.equal(back.name, "masts-verdicts.csv");
    const lines = back.data.toString("utf8").trim().split("\n");
    assert.equal(lines.length, 5);
    assert.match(lines[0], /;verdict;/);
    assert.match(lines[1], /^E-1;.*;refused;/);
    await page.locator("#check-others").uncheck();
    assert.deepEqual(await choose(page, "masts.csv", "text/csv", csv), { permitted: 2, refused: 1, invalid: 1 });
    assert.equal(await page.locator("#notices .notice").count(), 0);
    assert.deepEqual(complaints, []);
  });

  test("a workbook comes back as one", async () => {
    const { page } = await open();
    const book = await (await fetch(`${server.url}/api/v1/collections/bts_sites/download?f=xlsx&filter=${encodeURIComponent("code IN ('HT-0001','HT-0002')")}`)).arrayBuffer();
    const counts = await choose(page, "sites.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", book);
    assert.equal(Object.values(counts).reduce((a, b) => a + b), 2);
    assert.equal((await download(page, "XLSX")).data.subarray(0, 2).toString(), "PK");
  });

  test("of cables is checked as cables", async () => {
    const { page, complaints } = await open();
    const line = (code, carrier) => ({ type: "Feature", properties: { code, carrier }, geometry: { type: "LineString", coordinates: [[103.016, 21.38], [103.03, 21.4]] } });
    const counts = await choose(page, "cables.geojson", "application/geo+json", JSON.stringify({ type: "FeatureCollection", features: [line("C-1", "telecom_pole"), line("C-2", "duct"), line("C-3", "balloon")] }));
    assert.equal(counts.invalid, 1);
    assert.equal(counts.refused, 1);
    const { features } = JSON.parse((await download(page, "GEOJSON")).data.toString("utf8"));
    assert.deepEqual(features.map((f) => f.properties.verdict), ["refused", "permitted", null]);
    assert.deepEqual(complaints, []);
  });

  test("what cannot be read is said in the form", async () => {
    const { page } = await open();
    await page.locator("#tab-check").click();
    await page.locator(".files > summary").click();
    await page.locator("#check-file-chosen").setInputFiles({ name: "x.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF") });
    await page.locator("#check-file button[type=submit]").click();
    await page.locator("#check-file .problem", { hasText: "CSV, XLSX" }).waitFor();
    await page.locator("#check-file-chosen").setInputFiles({ name: "x.geojson", mimeType: "application/geo+json", buffer: Buffer.from("{") });
    await page.locator("#check-file button[type=submit]").click();
    await page.locator("#check-file .problem", { hasText: "Không đọc được" }).waitFor();
  });

  test("becomes a proposal, and a row that is refused does not make the others twice", async () => {
    const { page, complaints } = await as(operator);
    const rows = csv.replaceAll("E-", "F-");
    await choose(page, "plan.csv", "text/csv", rows);
    await page.locator("#file-result .filing > summary").click();
    await page.locator("#file-rows-title").fill("Ba cột mới");
    await page.route("**/api/v1/proposals", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ title: "Tạm dừng", status: 503 }) }), { times: 1 });
    await page.locator("#file-rows button[type=submit]").click();
    await page.locator("#file-rows .problem", { hasText: "Tạm dừng" }).waitFor();
    await page.locator("#file-rows button[type=submit]").click();
    await said(page, "Đã nộp");
    assert.equal(await page.locator(".permitfeature").count(), 3);
    assert.deepEqual(await page.locator(".permitfeature > summary .badge").evaluateAll((all) => all.map((b) => b.dataset.verdict).sort()), ["permitted", "permitted", "refused"]);
    assert.deepEqual(await page.locator(".permitfeature .eachother .message").evaluateAll((all) => all.map((m) => m.textContent.match(/F-\d/)?.[0]).sort()), ["F-2", "F-3"], "two stand too near to each other");
    await step(page, "withdraw", { "withdraw-reasons": "làm lại" });
    await said(page, "Rút hồ sơ");
    assert.equal(await page.locator("[data-step]").count(), 0);

    // The drafts are still there, and are filed again from the list.
    await page.locator("#card-close").click();
    await page.locator(".permits > .filing > summary").click();
    await page.locator("#file-drafts").waitFor();
    await page.getByLabel(/^F-2 /).check();
    await page.locator("#drafts-title").fill("Cột F-2");
    await page.locator("#file-drafts button[type=submit]").click();
    await said(page, "Đã nộp");
    await page.locator("#card-close").click();
    await page.locator(".permits > .filing > summary").click();
    await page.getByLabel(/^F-1 /).waitFor();
    assert.equal(await page.getByLabel(/^F-2 /).count(), 0, "what is filed is not offered again");
    assert.deepEqual(unexpected(complaints).filter((c) => !c.includes("503")), []);
  });
});

describe("a proposal", { timeout: 240_000 }, () => {
  test("is filed, asked about, answered and approved; who was not first is told so", async () => {
    const his = await as(operator);
    await file(his.page, "W-1");
    const theirs = await as(officer);
    await openPermit(theirs.page, "Cột W-1");
    assert.deepEqual(await theirs.page.locator("[data-step]").evaluateAll((all) => all.map((d) => d.dataset.step)), ["ask_more", "consult"], "an officer approves nothing");
    await step(theirs.page, "ask_more");
    assert.equal(await theirs.page.locator("#ask_more-reasons").getAttribute("aria-invalid"), "true", "reasons are given");
    await step(theirs.page, "ask_more", { "ask_more-reasons": "Cột cao bao nhiêu?" });
    await said(theirs.page, "Yêu cầu bổ sung");

    await his.page.locator("#card-close").click();
    await openPermit(his.page, "Cột W-1");
    assert.equal(await his.page.locator("#wanted").innerText(), "Cột cao bao nhiêu?");
    await his.page.locator(".correct > summary").click();
    await his.page.locator('.correct input[name="height_m"]').fill("36");
    await his.page.locator(".correct button[type=submit]").click();
    await said(his.page, "Đã sửa W-1");
    await attach(his.page, "bản vẽ.txt");
    const [drawing] = await Promise.all([his.page.waitForEvent("download"), his.page.locator("#permit-files a", { hasText: "bản vẽ.txt" }).click()]);
    assert.equal(await readFile(await drawing.path(), "utf8"), "Nội dung bản vẽ.txt");
    await step(his.page, "supplement", { "supplement-reasons": "36 m" });
    await said(his.page, "Bổ sung");

    // Two have it open; one decides first, and the other reads it again and keeps what was typed.
    const last = await as(approver, { locale: "en-GB" });
    await openPermit(last.page, "Cột W-1");
    assert.match(await last.page.locator(".history").innerText(), /36 m/);
    assert.match(await last.page.locator('.history [data-action="attach"]').innerText(), /A file was attached/);
    await last.page.locator("#permit-files a", { hasText: "bản vẽ.txt" }).waitFor();
    assert.deepEqual((await paper(last.page, last.page.locator(".permitfeature"))).map(([f, begins]) => [f, begins]), [["pdf", "%PDF-"], ["html", "<!doc"]]);
    await theirs.page.locator("#card-close").click();
    await openPermit(theirs.page, "Cột W-1");
    await step(theirs.page, "consult", { "tick-agency-SXD": true });
    await said(theirs.page, "Lấy ý kiến");
    await step(last.page, "approve", { "approve-conditions": "sơn phản quang\n\ncao không quá 36 m" });
    await said(last.page, "has changed since you read it");
    assert.equal(await last.page.evaluate(() => document.activeElement?.id), "permit-said");
    assert.equal(await last.page.locator("#approve-conditions").inputValue(), "sơn phản quang\n\ncao không quá 36 m");
    await step(last.page, "approve", { "approve-reasons": "không còn chỗ nào khác" });
    await said(last.page, "Approved");
    assert.match(await last.page.locator('.history [data-action="approve"]').innerText(), /không còn chỗ nào khác/);
    assert.deepEqual(await last.page.locator('.history [data-action="approve"] .conditions li').allInnerTexts(), ["sơn phản quang", "cao không quá 36 m"]);
    assert.equal(await last.page.locator("#card [data-permit] [data-state]").getAttribute("data-state"), "approved");
    const decided = (await last.page.locator("#permit-decision").innerText()).split(" ")[0];
    assert.deepEqual(await paper(last.page, last.page.locator("#permit-decision")), [["pdf", "%PDF-", decided], ["html", "<!doc", decided]]);
    assert.equal(await entry(last.page, "Cột W-1").count(), 0, "it waits no more");
    await last.page.locator("#permits-view").selectOption("open");
    await entry(last.page, "Cột W-1").waitFor();
    await last.page.locator("#permits-territory").selectOption("095");
    await last.page.locator("#permits .none").waitFor();
    await last.page.locator("#permits-territory").selectOption("094");
    await last.page.locator("#permits-organisation").selectOption("VNPT");
    await entry(last.page, "Cột W-1").waitFor();
    assert.deepEqual(unexpected([...his.complaints, ...theirs.complaints, ...last.complaints]), []);
  });

  test("is not approved by who is of the organisation: no button, and the server refuses", async () => {
    const his = await as(operator);
    await file(his.page, "W-2");
    const own = await as(insider);
    await own.page.locator("#tab-permits").click();
    await own.page.locator("#permits-view").selectOption("all");
    await entry(own.page, "Cột W-2").press("Enter");
    await own.page.locator("#permit-steps .none").waitFor();
    const focused = () => own.page.evaluate(() => document.activeElement?.id || document.activeElement?.className);
    assert.equal(await focused(), "card-close", "with keys alone one gets into the card");
    await own.page.keyboard.press("Escape");
    assert.equal(await focused(), "permit", "and back to the list");
    await own.page.keyboard.press("Enter");
    await own.page.locator("#permit-steps .none").waitFor();
    const id = await own.page.locator("#card [data-permit]").getAttribute("data-permit");
    const status = await own.page.evaluate(async (id) => {
      const { csrf } = await (await fetch("/api/v1/session")).json();
      return (await fetch(`/api/v1/proposals/${id}/decisions`, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf }, body: '{"action":"approve"}' })).status;
    }, id);
    assert.equal(status, 403);

    // A notice leads to it.
    await own.page.goto(`${server.url}/#proposal=${id}`);
    await own.page.reload();
    await own.page.locator(`#card [data-permit="${id}"]`).waitFor();
  });

  test("waits for agencies: one answers itself, for the other an officer does, and consent is needed", async () => {
    const his = await as(operator);
    await file(his.page, "W-3");
    const theirs = await as(officer);
    await openPermit(theirs.page, "Cột W-3");
    await step(theirs.page, "consult", { "tick-agency-SXD": true, "tick-agency-BCHQS": true, "tick-required-required": true });
    await said(theirs.page, "Lấy ý kiến");

    const asked = await as(agency, { viewport: { width: 390, height: 844 } });
    await openPermit(asked.page, "Cột W-3");
    assert.equal(await asked.page.locator("#answer-agency").count(), 0, "it answers for itself");
    await attach(asked.page, "cong van.txt");
    const own = asked.page.locator("#answer-attachment option", { hasText: "cong van.txt" });
    await own.waitFor({ state: "attached" });
    await step(asked.page, "answer", { "answer-answer": "agreed_with_conditions", "answer-attachment": await own.getAttribute("value"), "answer-reasons": "sơn phản quang" });
    await said(asked.page, "trả lời");
    assert.equal(await asked.page.locator("[data-step]").count(), 0);
    assert.equal(await entry(asked.page, "Cột W-3").count(), 0, "it waits for the agency no more");

    const last = await as(approver);
    await openPermit(last.page, "Cột W-3");
    await last.page.locator("#missing-consents", { hasText: "BCHQS" }).waitFor();
    assert.equal(await last.page.locator('[data-step="approve"]').count(), 0, "nobody approves while it is missing");

    await his.page.locator("#card-close").click();
    await openPermit(his.page, "Cột W-3");
    await attach(his.page, "trong lúc hỏi.txt"); // while agencies are asked, too
    await theirs.page.locator("#card-close").click();
    await openPermit(theirs.page, "Cột W-3");
    assert.deepEqual(await theirs.page.locator("#answer-agency option").evaluateAll((all) => all.map((o) => o.value)), ["BCHQS"]);
    await step(theirs.page, "answer", { "answer-answer": "agreed", "answer-number": "12/CV", "answer-date": "2026-11-20" });
    await said(theirs.page, "trả lời");
    assert.match(await theirs.page.locator('#permit-consultations [data-agency="BCHQS"]').innerText(), /đồng ý.*12\/CV.*20\/11\/2026/s);
    await last.page.locator("#card-close").click();
    await openPermit(last.page, "Cột W-3");
    await step(last.page, "refuse", { "refuse-reasons": `quá gần di tích: ${"x".repeat(200)}` });
    await said(last.page, "Từ chối");
    const number = (await last.page.locator("#permit-decision").innerText()).split(" ")[0];
    await last.page.setViewportSize({ width: 390, height: 844 });
    await last.page.goto(`${server.url}/api/v1/decisions/${number}?f=html`);
    assert.match(await last.page.locator(".paper").innerText(), /Đối tượng đã đề nghị[^]*W-3/);
    assert.equal(await last.page.evaluate(() => document.documentElement.scrollWidth), 390, "a word without a break is broken on the paper");
    await his.page.locator("#card-close").click();
    await his.page.locator("#permits-view").selectOption("all");
    await entry(his.page, "Cột W-3").click();
    await his.page.locator('.history [data-action="refuse"]', { hasText: "quá gần di tích" }).waitFor();
    await his.page.locator("#permit-files li", { hasText: "trong lúc hỏi.txt" }).waitFor();
    assert.equal(await his.page.locator("#permit-files li").count(), 1, "the agency's file is not the organisation's to see");
    assert.match(await his.page.locator("#attach-closed").innerText(), /không nhận thêm tệp/);
    assert.equal(await his.page.locator("#permit-consultations").count(), 0, "what passes between staff and agencies is not the organisation's to know");
  });

  test("that is late says so in words, and stands first", async () => {
    const { page } = await as(officer, { timezoneId: "America/New_York" });
    const one = (id, due_on, overdue) => ({ id, organisation: "VNPT", title: `Cột ${id}`, state: "filed", revision: 1, filed_at: "2026-01-05T18:30:00Z", due_on, expires_on: null, overdue, awaits_answer: false, decision: null });
    let asked = "";
    await page.route("**/api/v1/proposals?*", (route) => {
      asked = route.request().url();
      return route.fulfill({ json: { proposals: [one(1, "2026-01-26", true), one(2, "2099-01-26", false)], links: [] } });
    });
    await page.locator("#tab-permits").click();
    assert.match(await entry(page, "Cột 1").innerText(), /QUÁ HẠN từ 26\/01\/2026/);
    assert.match(await entry(page, "Cột 1").innerText(), /nộp 06\/01\/2026/, "the day is that of the register, of which deadlines are counted");
    assert.match(asked, /sortby=due_on/);
    assert.match(await entry(page, "Cột 2").innerText(), /hạn 26\/01\/2099/);
    await page.locator("#language-en").click();
    assert.match(await entry(page, "Cột 1").innerText(), /OVERDUE since 26 Jan 2026/);
  });

  test("is for who has signed in, and on a phone nothing is wider than the screen", async () => {
    const narrow = { viewport: { width: 390, height: 844 } };
    const { page } = await open(narrow);
    assert.equal(await page.locator("#tab-permits").count(), 0);
    const his = await as(operator, { ...narrow, locale: "en-GB" });
    const fits = async (what) => {
      assert.equal(await his.page.evaluate(() => document.documentElement.scrollWidth), 390, what);
      for (const line of await his.page.locator("#coordinates").all()) assert.ok(await line.evaluate((e) => e.scrollWidth <= e.clientWidth && [...e.children].every((c) => c.getBoundingClientRect().left >= e.getBoundingClientRect().left)), `${what}: the place of the pointer is cut`);
      for (const part of ["#card:not([hidden])", '[role="tabpanel"]:not([hidden])', "#panel > .tabs"]) {
        for (const element of await his.page.locator(part).all()) assert.ok(await element.evaluate((e) => e.scrollWidth <= e.clientWidth), `${what}: ${part}`);
      }
    };
    await check(his.page);
    await his.page.locator("#card .filing > summary").click();
    await fits("a verdict");
    await his.page.locator("#card-close").click();
    await file(his.page, "W-4");
    await fits("a proposal");
  });
});
