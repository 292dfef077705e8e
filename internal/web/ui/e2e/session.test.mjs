// Signing in, keys and people: the page in a real Chromium against a running server
// with the demo's data.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { adminKey, asAdministrator, password, signedIn, signIn, tryToSignIn, unexpected, withKey } from "./people.mjs";
import { open, server } from "./suite.mjs";

const officer = { login: "e2e-lan", name: "Nguyễn Thị Lan", password, grants: [{ role: "officer", layers: null, territory: "" }] };
const administrator = { login: "e2e-binh", name: "Phạm Quốc Bình", password, grants: [{ role: "administrator", layers: null, territory: "" }] };

/** The demo's special areas: the public sees those that are neither a border belt nor military. */
const areas = { public: "3", officer: "6" };

before(async () => {
  for (const person of [officer, administrator]) {
    const answer = await asAdministrator("POST", "/api/v1/people", person);
    assert.equal(answer.status, 201, await answer.text());
  }
}, { timeout: 300_000 });

/** Opens the dialog at a tab. */
async function turnTo(page, tab) {
  if (!(await page.locator("#account").isVisible())) await page.locator("#session-button").click();
  await page.locator(`#account-tab-${tab}`).click();
}

const areasCounted = (page) => page.locator('li[data-layer="special_areas"]').getAttribute("data-count");

describe("signing in", { timeout: 180_000 }, () => {
  test("a wrong password is said in words, in both languages, and the dialog stays", async () => {
    for (const [locale, words] of [["vi-VN", /Tên đăng nhập hoặc mật khẩu không đúng/], ["en-GB", /Wrong login or password/]]) {
      const { page, complaints } = await open({ locale });
      await tryToSignIn(page, officer.login, "khong phai the");
      const problem = page.locator("#signin .problem");
      await problem.and(page.locator(":visible")).waitFor();
      assert.match(await problem.innerText(), words);
      assert.ok(await page.locator("#account").isVisible());
      assert.equal(await page.locator("#session-button.known").count(), 0);
      assert.deepEqual(unexpected(complaints), []);
    }
  });

  test("empty fields are named and nothing is sent", async () => {
    const { page, requests } = await open();
    await page.locator("#session-button").click();
    await page.locator("#signin button[type=submit]").click();
    assert.equal(await page.locator("#signin-login").getAttribute("aria-invalid"), "true");
    assert.equal(await page.locator("#signin-password-wrong").innerText(), "Hãy điền ô này.");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "signin-login");
    assert.equal(requests.filter((r) => r.endsWith("/api/v1/session")).length, 1, "only the page's own question");
  });

  test("too many attempts say how long to wait", async () => {
    const { page } = await open();
    await page.route("**/api/v1/session", (route) => (route.request().method() === "POST" ? route.fulfill({
      status: 429, contentType: "application/problem+json", headers: { "Retry-After": "240" },
      body: JSON.stringify({ title: "Quá nhiều yêu cầu", status: 429 }),
    }) : route.continue()));
    await tryToSignIn(page, officer.login, password);
    await page.locator("#signin .problem", { hasText: "Hãy đợi 4 phút" }).waitFor();
  });

  test("the name is in the bar and what is withheld from the public is counted; signing out takes both away", async () => {
    const { page, complaints } = await open();
    assert.equal(await page.locator("#session-button").innerText(), "Đăng nhập");
    assert.equal(await areasCounted(page), areas.public);
    await signIn(page, officer);
    assert.equal(await areasCounted(page), areas.officer);
    await page.locator("#layer-special_areas").check();
    await page.locator('li[data-layer="special_areas"][data-state="drawn"]').waitFor();
    assert.equal(await page.locator('li[data-layer="special_areas"]').getAttribute("data-drawn"), areas.officer);

    await page.locator("#session-button").click();
    assert.match(await page.locator("#account-panel-account .facts").innerText(), /Cán bộ GIS · mọi lớp · mọi nơi/);
    assert.equal(await page.locator("#account-tab-people").count(), 0, "an officer keeps no people");
    await page.locator("#signout button").click();
    await page.locator("#session-button:not(.known)").waitFor();
    await page.locator("body[data-counted]").waitFor();
    assert.equal(await areasCounted(page), areas.public);
    assert.deepEqual(unexpected(complaints), []);
  });

  test("a check of a mast carries the token when signed in and none when not", async () => {
    const { page } = await open();
    const checked = () => page.waitForRequest((r) => r.url().endsWith("/placement-checks"));
    const check = async () => {
      await page.locator("#tab-check").click();
      await page.locator("#check-lon").fill("103.0165");
      await page.locator("#check-lat").fill("21.3826");
      const [request] = await Promise.all([checked(), page.locator("#check-submit").click()]);
      await page.locator("#verdict").waitFor();
      return request.headers()["x-csrf-token"];
    };
    assert.equal(await check(), undefined);
    await signIn(page, officer);
    assert.ok(await check());
  });

  test("a request of the session without the token is refused", async () => {
    const { page } = await signedIn(officer);
    const make = (withToken) => page.evaluate(async (withToken) => {
      const { csrf, grants } = await (await fetch("/api/v1/session")).json();
      const [{ role, layers, territory }] = grants;
      const answer = await fetch("/api/v1/keys", {
        method: "POST", headers: { "Content-Type": "application/json", ...(withToken && { "X-CSRF-Token": csrf }) },
        body: JSON.stringify({ name: "csrf", grants: [{ role, layers, territory }] }),
      });
      return answer.status;
    }, withToken);
    assert.equal(await make(false), 403);
    assert.equal(await make(true), 201, "the same with the token");
  });

  test("Escape closes the dialog alone, and the focus returns to the button", async () => {
    const { page } = await open();
    await page.locator("#session-button").focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "signin-login");
    await page.keyboard.press("Escape");
    assert.ok(await page.locator("#account").isHidden());
    assert.equal(await page.evaluate(() => document.activeElement?.id), "session-button");
  });

  test("on a phone the dialog and its tables are no wider than the screen", async () => {
    const { page } = await signedIn(administrator, { viewport: { width: 390, height: 844 } });
    for (const tab of ["account", "keys", "consultations", "people", "publishing", "audit"]) {
      await turnTo(page, tab);
      const panel = page.locator(`#account-panel-${tab}`);
      await panel.locator("h3").first().waitFor();
      assert.ok(await panel.evaluate((p) => p.scrollWidth <= p.clientWidth), tab);
    }
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  });
});

describe("API keys", { timeout: 120_000 }, () => {
  test("a key is shown once, works, and no longer when it is revoked", async () => {
    const { page, complaints } = await signedIn(officer);
    await turnTo(page, "keys");
    await page.locator("#key-name").fill("Đồng bộ e2e");
    await page.locator("#key-create button[type=submit]").click();
    const key = await page.locator("#key-once").inputValue();
    assert.match(key, /^htg_/);
    assert.match(await page.locator("#key-once-help").innerText(), /chỉ hiện một lần/);
    const counted = async () => (await (await withKey(key, "/api/v1/collections/special_areas/items?limit=1")).json()).numberMatched;
    assert.equal(String(await counted()), areas.officer);

    // Once means once: not when the section is opened again, nor when the page is.
    await turnTo(page, "account");
    await turnTo(page, "keys");
    const line = page.locator("#account-panel-keys tr[data-id]", { hasText: "Đồng bộ e2e" });
    await line.waitFor();
    assert.equal(await page.locator("#key-once").count(), 0);
    assert.ok(!(await page.locator("#account").innerHTML()).includes(key));

    await line.getByRole("button").click();
    assert.equal(String(await counted()), areas.officer, "asking does not revoke");
    await line.getByRole("button", { name: "Thu hồi", exact: true }).click();
    await page.locator("#account .done", { hasText: "Đã thu hồi" }).waitFor();
    assert.match(await line.innerText(), /đã thu hồi/);
    assert.equal((await withKey(key, "/api/v1/collections/special_areas/items?limit=1")).status, 401);
    assert.deepEqual(unexpected(complaints), []);
  });

  test("a key needs a right, and one may think better of revoking it", async () => {
    const { page } = await signedIn(officer);
    await turnTo(page, "keys");
    await page.locator("#key-name").fill("Không quyền");
    await page.locator("#key-grant-0").uncheck();
    await page.locator("#key-create button[type=submit]").click();
    await page.locator("#key-create .problem", { hasText: "ít nhất một quyền" }).waitFor();
    await page.locator("#key-grant-0").check();
    await page.locator("#key-expires").fill("2099-12-31");
    await page.locator("#key-create button[type=submit]").click();
    await page.locator("#key-once").waitFor();
    const line = page.locator("#account-panel-keys tr[data-id]", { hasText: "Không quyền" });
    assert.match(await line.innerText(), /31\/12\/2099/);
    await line.getByRole("button").click();
    await page.keyboard.press("Escape");
    assert.equal(await line.getByRole("button").count(), 1, "the question is gone and the dialog is not");
    assert.match(await line.innerText(), /đang dùng/);
  });
});

describe("consultations", { timeout: 120_000 }, () => {
  test("an officer asks an agency about a draft; the agency sees it and answers; another is withdrawn", async () => {
    const agency = { login: "e2e-sxd", name: "Sở Xây dựng", password, organisation: "SXD", grants: [{ role: "consulted", layers: null, territory: "" }] };
    assert.equal((await asAdministrator("POST", "/api/v1/people", agency)).status, 201);
    const draft = async (code) => {
      const answer = await asAdministrator("POST", "/api/v1/collections/kiosks/items", {
        type: "Feature", geometry: { type: "Point", coordinates: [103.0165, 21.3826] },
        properties: { code, valid_from: "2019-01-01", jurisdiction: "11", illustrative: true, status: "draft", owner_organisation: "VNPT" },
      });
      assert.equal(answer.status, 201, await answer.text());
      return answer.headers.get("Location").split("/").at(-1);
    };
    const rows = [await draft("E2E-D1"), await draft("E2E-D2")];
    const { page, complaints } = await signedIn(officer);
    await turnTo(page, "consultations");
    for (const row of rows) {
      await page.locator("#consult-collection").selectOption("kiosks");
      await page.locator("#consult-feature").fill(row);
      await page.locator("#consult-agency").selectOption("SXD");
      await page.locator("#consult-due").fill("2099-12-31");
      await page.locator("#consult-ask button[type=submit]").click();
      await page.locator("#account-panel-consultations tr[data-id]", { hasText: row }).waitFor();
    }

    const theirs = await signedIn(agency);
    await turnTo(theirs.page, "consultations");
    assert.equal(await theirs.page.locator("#consult-ask").count(), 0, "an agency asks nobody");
    const line = theirs.page.locator("#account-panel-consultations tr[data-id]", { hasText: rows[0] });
    await line.waitFor();
    assert.match(await line.innerText(), /31\/12\/2099/);
    assert.equal(await theirs.page.evaluate(async (href) => (await fetch(href)).status, await line.locator("a").getAttribute("href")), 200);
    await line.locator("button[type=submit]").click();
    assert.equal(await line.locator('select[name="answer"]').getAttribute("aria-invalid"), "true", "an answer is chosen first");
    await line.locator('select[name="answer"]').selectOption("agreed_with_conditions");
    await line.locator('input[name="note"]').fill("cao không quá 3 m");
    await line.locator("button[type=submit]").click();
    await theirs.page.locator("#account .done", { hasText: "Đã gửi trả lời" }).waitFor();
    assert.match(await line.innerText(), /đồng ý có điều kiện\s+cao không quá 3 m/);

    await turnTo(page, "consultations");
    const answered = page.locator("#account-panel-consultations tr[data-id]", { hasText: rows[0] });
    await answered.locator('[data-state="answered"]').waitFor();
    const open = page.locator("#account-panel-consultations tr[data-id]", { hasText: rows[1] });
    await open.getByRole("button").click();
    await open.getByRole("button", { name: "Rút", exact: true }).click();
    await page.locator("#account .done", { hasText: "Đã rút" }).waitFor();
    const status = await theirs.page.evaluate(async (row) => (await fetch(`/api/v1/collections/kiosks/items/${row}`)).status, rows[1]);
    assert.equal(status, 404, "it is out of the agency's sight");
    assert.deepEqual(unexpected([...complaints, ...theirs.complaints]), []);
  });
});

describe("people", { timeout: 180_000 }, () => {
  test("an administrator adds a person, gives and takes a right, and disables him: his open page is refused", async () => {
    const { page, complaints } = await signedIn(administrator);
    const person = { login: "e2e-sinh", name: "Vàng A Sính", password: "Chieu muon ben song Ma 27" };
    await turnTo(page, "people");
    await page.locator("#person-name").fill(person.name);
    await page.locator("#person-login").fill(person.login);
    await page.locator("#person-password").fill(person.password);
    await page.locator("#person-role").selectOption("officer");
    await page.locator("#person-layer-all").uncheck();
    await page.locator("#person-layer-special_areas").check();
    await page.locator("#person-add > button[type=submit]").click();
    const panel = page.locator("#account-panel-people");
    await panel.locator("h3", { hasText: person.name }).waitFor();
    assert.match(await panel.locator(".held").innerText(), /Cán bộ GIS · .+ · mọi nơi/);

    const his = await signedIn(person);
    assert.equal(await areasCounted(his.page), areas.officer);

    await panel.locator("summary").click();
    await page.locator("#grant-role").selectOption("approver");
    await page.locator("#grant-add > button[type=submit]").click();
    const added = panel.locator(".held li", { hasText: "Người duyệt" });
    await added.waitFor();
    await added.getByRole("button").click();
    await added.getByRole("button", { name: "Thu hồi", exact: true }).click();
    await page.locator("#account .done", { hasText: "Đã thu hồi quyền" }).waitFor();
    await added.waitFor({ state: "detached" });
    await panel.locator(".held li").waitFor(); // the one that is left, once the list is drawn again

    await page.locator("#person-disable button").click();
    await page.locator("#person-disable").getByRole("button", { name: "Khóa tài khoản", exact: true }).click();
    await page.locator("#person-enable").waitFor();
    await page.locator("#people-back").click();
    assert.match(await panel.locator(`tr[data-id="${person.login}"]`).innerText(), /đã khóa/);

    await turnTo(his.page, "keys");
    await his.page.locator("#signin").waitFor();
    assert.match(await his.page.locator("#account .note").innerText(), /Phiên đăng nhập đã kết thúc/);
    await tryToSignIn(his.page, person.login, person.password);
    await his.page.locator("#signin .problem", { hasText: "không đúng" }).waitFor();
    await his.page.locator("#account-close").click(); // the page is loaded again
    await his.page.locator("body[data-counted]").waitFor();
    await his.page.waitForFunction((count) => document.querySelector('li[data-layer="special_areas"]')?.getAttribute("data-count") === count, areas.public);
    assert.deepEqual(unexpected([...complaints, ...his.complaints]), []);
  });

  test("a login that is taken is said beside its field or above the form", async () => {
    const { page } = await signedIn(administrator);
    await turnTo(page, "people");
    await page.locator("#person-name").fill("Người khác");
    await page.locator("#person-login").fill(officer.login);
    await page.locator("#person-password").fill(password);
    await page.locator("#person-add > button[type=submit]").click();
    await page.locator("#person-add .problem:visible, #person-add .wrong:not(:empty)").first().waitFor();
    assert.equal(await page.locator("#people-back").count(), 0);
  });

  test("a person changes the password and signs in with the new one", async () => {
    const person = { login: "e2e-hoa", name: "Lò Thị Hoa", password, grants: [{ role: "operator", layers: null, territory: "" }] };
    assert.equal((await asAdministrator("POST", "/api/v1/people", person)).status, 201);
    const { page } = await signedIn(person);
    await page.locator("#session-button").click();
    const change = async (old, next, again = next) => {
      for (const [id, value] of [["old", old], ["new", next], ["again", again]]) await page.locator(`#password-${id}`).fill(value);
      await page.locator("#password button[type=submit]").click();
    };
    const next = "Muong Thanh buoi sang 1985";
    await change(password, next, "khac");
    assert.equal(await page.locator("#password-again-wrong").innerText(), "Hai lần nhập không giống nhau.");
    await change("khong phai the nay", next);
    await page.locator("#password .problem:visible, #password .wrong:not(:empty)").first().waitFor();
    await change(password, next);
    await page.locator("#account .done", { hasText: "Đã đổi mật khẩu" }).waitFor();
    await page.locator("#signout button").click(); // the token may be a new one
    await page.locator("#session-button:not(.known)").waitFor();
    await signIn(page, { ...person, password: next });
  });

  test("an administrator says how sites are published, and the audit tells of it in a whole chain", async () => {
    const { page, complaints } = await signedIn(administrator);
    await turnTo(page, "publishing");
    const province = page.locator("#account-panel-publishing section[data-jurisdiction]").first();
    await province.waitFor();
    const code = await province.getAttribute("data-jurisdiction");
    const publish = async (exactness, degrees) => {
      await page.locator(`#publishing-exactness-${code}`).selectOption(exactness);
      if (degrees) await page.locator(`#publishing-cell-${code}`).fill(degrees);
      const [answer] = await Promise.all([page.waitForResponse((r) => r.request().method() === "PUT"), province.locator("button[type=submit]").click()]);
      assert.equal(answer.status(), 204);
    };
    const set = async () => (await (await withKey(adminKey, "/api/v1/publications")).json()).publications.find((p) => p.jurisdiction === code);
    await publish("rounded", "0.02");
    const { exactness, cell_degrees: degrees } = await set();
    assert.deepEqual({ exactness, degrees }, { exactness: "rounded", degrees: 0.02 });
    await publish("exact");
    assert.equal((await set()).exactness, "exact");

    await turnTo(page, "audit");
    await page.locator('#account-panel-audit .chain[data-intact="true"]').waitFor();
    assert.match(await page.locator("#account-panel-audit tbody").innerText(), new RegExp(administrator.login));
    assert.deepEqual(unexpected(complaints), []);
  });
});
