// A server and a browser for all tests of a file, and pages that close with their test.
import { after, afterEach } from "node:test";
import { openPage, recordedPage, startBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";

export const server = await startServer();
export const browser = await startBrowser();
let opened = [];

after(async () => {
  await browser.close();
  await server.stop();
});

afterEach(async () => {
  await Promise.all(opened.map((o) => o.close()));
  opened = [];
});

/** Opens an address of the server. */
export async function openAt(path, options) {
  const o = await recordedPage(browser, options);
  opened.push(o);
  await o.page.goto(server.url + path);
  return o;
}

export async function open(options) {
  const o = await openPage(browser, server.url, options);
  opened.push(o);
  return o;
}
