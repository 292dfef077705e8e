// A real Chromium, and pages that record what they ask for and complain about.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? usual.find((path) => existsSync(path));
  if (!executablePath) throw new Error("no Chromium found: install the package chromium, or set CHROMIUM to its path");
  return chromium.launch({ executablePath, args: flags });
}

/** A page that notes what it asks for and what it complains about. */
export async function recordedPage(browser, { locale = "vi-VN", viewport = { width: 1280, height: 800 }, ...more } = {}) {
  const context = await browser.newContext({ locale, viewport, reducedMotion: "reduce", ...more });
  const page = await context.newPage();
  const requests = [];
  const complaints = [];
  page.on("request", (r) => requests.push(r.url()));
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("console", (m) => { if (m.type() === "error") complaints.push(m.text()); });
  return { page, requests, complaints, close: () => context.close() };
}

/** Opens the page and waits until all layers are counted, or its first ones drawn ("ready"); as a person who has signed in already, where one is given. */
export async function openPage(browser, url, { person, until = "counted", ...options } = {}) {
  const recorded = await recordedPage(browser, options);
  if (person) {
    const answer = await recorded.page.request.post(`${url}/api/v1/session`, { data: { login: person.login, password: person.password } });
    if (!answer.ok()) throw new Error(`${person.login} cannot sign in: ${await answer.text()}`);
  }
  await recorded.page.goto(`${url}/`);
  await recorded.page.locator(`body[data-${until}]`).waitFor({ timeout: 60_000 });
  return recorded;
}

/** The pixel of a place, from the view that the map writes on its element. */
export function pixelOf(page, lon, lat) {
  return page.evaluate(([lon, lat]) => {
    const map = document.getElementById("map");
    const [centreX, centreY] = map.dataset.centre.split(",").map(Number);
    const resolution = Number(map.dataset.resolution);
    const earth = 6378137; // the sphere of EPSG:3857
    const x = (lon * Math.PI / 180) * earth;
    const y = earth * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
    const box = map.getBoundingClientRect();
    return [box.left + box.width / 2 + (x - centreX) / resolution, box.top + box.height / 2 - (y - centreY) / resolution];
  }, [lon, lat]);
}

/** How many pixels of the map have each colour, as "r,g,b"; only opaque ones count. */
export function pixelColours(page) {
  return page.evaluate(() => {
    const counts = {};
    for (const canvas of document.querySelectorAll("#map canvas")) {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] !== 255) continue;
        const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
        counts[colour] = (counts[colour] ?? 0) + 1;
      }
    }
    return counts;
  });
}

/** Waits until the map has stopped moving and drawing, and answers a fingerprint of what it shows. */
export function fingerprint(page) {
  return page.evaluate(async () => {
    const read = () => [...document.querySelectorAll("#map canvas")].map((c) => c.toDataURL()).join("|");
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    let last = "";
    for (let same = 0; same < 3;) {
      await frame();
      const now = read();
      same = now === last ? same + 1 : 0;
      last = now;
    }
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(last));
    return [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
  });
}
