// A server and a browser for all tests of a file, and pages that close with their test.
import { after, afterEach } from "node:test";
import { openPage, startBrowser } from "./browser.mjs";
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

export async function open(options) {
  const o = await openPage(browser, server.url, options);
  opened.push(o);
  return o;
}
