// Runs the tests of the page, those of two files at a time: all of them, or those of the files that are
// named. The demo's data are loaded once; the server of each file starts on a copy of its own.
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { makeTemplate } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const named = process.argv.slice(2).map((name) => resolve(name));
const all = () => readdirSync(here).filter((name) => name.endsWith(".test.mjs")).map((name) => join(here, name));

const template = process.env.HATANG_URL ? undefined : await makeTemplate();
if (template) {
  Object.assign(process.env, { HATANG_TEMPLATE: template.data, HATANG_ADMIN_KEY: template.key });
  process.on("exit", template.remove);
}

run({ files: named.length ? named : all(), concurrency: 2 })
  .on("test:fail", () => { process.exitCode = 1; })
  .compose(spec)
  .pipe(process.stdout);
