// The working calendar in the dialog, and what warns of a year that is missing, in a real Chromium.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { asAdministrator, password, signedIn, unexpected } from "./people.mjs";
import { server } from "./suite.mjs";

const administrator = { login: "e2e-lich", name: "Phạm Thị Lịch", password, grants: [{ role: "administrator", layers: null, territory: "" }] };
const ofDistrict = { login: "e2e-huyen", name: "Vàng A Huyện", password, grants: [{ role: "officer", layers: null, territory: "094" }] };

before(async () => {
  for (const person of [administrator, ofDistrict]) {
    const answer = await asAdministrator("POST", "/api/v1/people", person);
    assert.equal(answer.status, 201, await answer.text());
  }
}, { timeout: 300_000 });

async function turnTo(page) {
  await page.locator("#session-button").click();
  await page.locator("#account-tab-calendar").click();
  await page.locator("#calendar-year").waitFor();
}

const sheetOf = async (year) => (await fetch(`${server.url}/api/v1/calendar?from=${year}-01-01`)).json();

describe("the working calendar", { timeout: 180_000 }, () => {
  test("an administrator adds, confirms, imports and removes days, and reads of them in both languages", async () => {
    for (const [locale, year, words] of [["vi-VN", 2031, ["nghỉ", "chưa được xác nhận", "đã đủ"]], ["en-GB", 2032, ["off", "has not been confirmed", "is whole"]]]) {
      const { page, complaints } = await signedIn(administrator, { locale });
      await turnTo(page);
      await page.locator("#calendar-year").evaluate((control, y) => { control.append(new Option(y, y)); control.value = y; control.dispatchEvent(new Event("change")); }, String(year));
      await page.locator(`#calendar-date[min="${year}-01-01"]`).waitFor();
      await page.locator("#calendar-add button[type=submit]").click();
      assert.equal(await page.locator("#calendar-vi").getAttribute("aria-invalid"), "true");
      await page.locator("#calendar-date").fill(`${year}-01-23`);
      await page.locator("#calendar-vi").fill("Tết Nguyên đán");
      await page.locator("#calendar-source").fill("TB 15");
      await page.locator("#calendar-add button[type=submit]").click();
      const row = page.locator(`#account-panel-calendar tr[data-id="${year}-01-23"]`);
      await row.waitFor();
      assert.match(await row.innerText(), new RegExp(words[0]));
      assert.match(await page.locator("#calendar-state").innerText(), new RegExp(words[1]));
      await page.locator("#calendar-confirm button").click();
      await page.locator("#calendar-state", { hasText: words[2] }).waitFor();
      assert.ok((await sheetOf(year)).years.includes(year));

      await page.locator("#calendar-file").setInputFiles({ name: "x.csv", mimeType: "text/csv", buffer: Buffer.from(`date,working,name_vi\n${year}-01-23,false,Tết\n${year}-02-07,maybe,Làm bù\n`) });
      await page.locator("#calendar-origin").fill("TB 16");
      await page.locator("#calendar-import button[type=submit]").click();
      await page.locator("#calendar-import .problem:visible").waitFor();
      await page.locator("#calendar-file").setInputFiles({ name: "x.csv", mimeType: "text/csv", buffer: Buffer.from(`date,working,name_vi\n${year}-01-23,false,Tết\n${year}-02-07,true,Làm bù\n`) });
      await page.locator("#calendar-import button[type=submit]").click();
      await page.locator(`#account-panel-calendar tr[data-id="${year}-02-07"]`).waitFor();
      assert.deepEqual((await sheetOf(year)).days.map((d) => [d.working, d.source]), [[false, "TB 16"], [true, "TB 16"]]);

      await row.locator(".ask button").click();
      await row.locator("button.danger").click();
      await row.waitFor({ state: "detached" });
      assert.equal((await sheetOf(year)).days.length, 1);
      if (process.env.HATANG_SHOTS) await page.screenshot({ path: `${process.env.HATANG_SHOTS}/calendar-${locale}.png` });
      assert.deepEqual(unexpected(complaints), []);
    }
  });

  test("who keeps a part of it reads it alone, and is warned where deadlines reach beyond what it knows", async () => {
    for (const [locale, words] of [["vi-VN", /chưa có danh sách đầy đủ của năm 2099/], ["en-GB", /no whole list of 2099/]]) {
      const { page, complaints } = await signedIn(ofDistrict, { locale });
      await page.route("**/api/v1/calendar*", async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...await answer.json(), unknown_years: [2099] } });
      });
      await page.locator("#tab-permits").click();
      await page.reload();
      await page.locator("#tab-permits").click();
      assert.match(await page.locator(".permits .calendar-unknown").innerText(), words);
      if (process.env.HATANG_SHOTS) await page.screenshot({ path: `${process.env.HATANG_SHOTS}/warned-${locale}.png` });
      await turnTo(page);
      assert.equal(await page.locator("#calendar-add").count(), 0);
      if (process.env.HATANG_SHOTS) await page.screenshot({ path: `${process.env.HATANG_SHOTS}/read-${locale}.png` });
      assert.deepEqual(unexpected(complaints), []);
    }
  });

  test("of several, one is chosen, and what is changed is that one", async () => {
    const { page, complaints } = await signedIn(administrator);
    const told = [];
    await page.route("**/api/v1/calendar*", async (route) => {
      const address = new URL(route.request().url());
      if (route.request().method() === "POST") {
        told.push(route.request().postDataJSON());
        return route.fulfill({ json: { set: 1, removed: 0 } });
      }
      const whose = address.searchParams.get("jurisdiction");
      if (!whose) return route.fulfill({ status: 400, contentType: "application/problem+json", json: { title: "?", status: 400, errors: [{ parameter: "jurisdiction", detail: "?" }] } });
      if (whose === "13") return route.fulfill({ status: 404, contentType: "application/problem+json", json: { title: "?", status: 404 } });
      address.searchParams.set("jurisdiction", "11");
      const answer = await route.fetch({ url: address.href });
      return route.fulfill({ response: answer, json: { ...await answer.json(), jurisdiction: whose, unknown_years: whose === "12" ? [2098] : [] } });
    });
    await page.route("**/collections/provinces/items*", (route) => route.fulfill({ json: { type: "FeatureCollection", features: [["11", "Tỉnh Điện Biên"], ["12", "Tỉnh Lai Châu"], ["13", "Tỉnh Khác"]].map(([code, name], id) => ({ type: "Feature", id, geometry: null, properties: { code, name } })), links: [] } }));
    await turnTo(page);
    assert.deepEqual(await page.locator("#calendar-jurisdiction option").allInnerTexts(), ["Tỉnh Điện Biên (11)", "Tỉnh Lai Châu (12)"], "those that have a plan");
    await page.locator("#calendar-jurisdiction").selectOption("12");
    await page.locator("#account-panel-calendar .calendar-unknown", { hasText: "2098" }).waitFor();
    await page.locator("#calendar-vi").fill("Tết");
    await page.locator("#calendar-source").fill("TB 15");
    await page.locator("#calendar-add button[type=submit]").click();
    await page.waitForFunction(() => document.querySelector("#calendar-vi")?.value === "");
    assert.deepEqual(told.map((t) => [t.jurisdiction, t.days.length]), [["12", 1]]);
    if (process.env.HATANG_SHOTS) await page.screenshot({ path: `${process.env.HATANG_SHOTS}/calendars.png` });
    assert.deepEqual(unexpected(complaints), []);
  });
});
