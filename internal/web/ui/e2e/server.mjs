// A running Hatang for the tests: the one at HATANG_URL, or our own, started from
// bin/hatang (or the program that HATANG_BIN names) with the demo's data, or on a copy of
// the stopped data folder HATANG_TEMPLATE, which has them already.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const program = process.env.HATANG_BIN ?? join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..", "bin", "hatang");
const patience = 240_000; // the first start makes a database and loads the demo

/** Answers { url, key, stop }; key() waits for an API key of an administrator. */
export async function startServer() {
  const given = process.env.HATANG_URL;
  if (given) return { url: given.replace(/\/$/, ""), key: givenKey, stop: async () => {} };
  const template = process.env.HATANG_TEMPLATE;
  return inNewFolder(async (data, remove) => {
    if (template) {
      remove();
      execFileSync("cp", ["-a", template, data]); // with owners and modes
    }
    const { stop, ...server } = await startOn(data);
    return { ...server, ...(template && { key: givenKey }), stop: () => stop().then(remove) };
  });
}

/** Loads the demo's data into a folder for servers to be copied from: answers { data, key, remove }. */
export function makeTemplate() {
  return inNewFolder(async (data, remove) => {
    const server = await startOn(data);
    const key = await server.key();
    await server.stop();
    return { data, key, remove };
  });
}

/** Works in a folder of its own, which is removed if that fails. */
async function inNewFolder(work) {
  const data = mkdtempSync(join(tmpdir(), "hatang-e2e-"));
  const remove = () => rmSync(data, { recursive: true, force: true });
  try {
    return await work(data, remove);
  } catch (cause) {
    remove();
    throw cause;
  }
}

/** Starts our own server on a data folder. */
async function startOn(data) {
  if (!existsSync(program)) throw new Error(`${program} is not there: run make build, or set HATANG_URL`);
  const child = spawn(program, ["serve", "--demo", "--listen", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  const key = printedKey(child);
  try {
    return { url: await address(child), key, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** Of a server that did not make its database the key must be told. */
async function givenKey() {
  const key = process.env.HATANG_ADMIN_KEY;
  if (!key) throw new Error("set HATANG_ADMIN_KEY to the administrator key of the server at HATANG_URL, or of HATANG_TEMPLATE");
  return key;
}

/** Answers a function that waits for the key which the program prints when it first starts. */
function printedKey(child) {
  let out = "";
  let found;
  const printed = new Promise((resolve) => {
    child.stderr.on("data", (chunk) => {
      if (found) return;
      out += chunk;
      found = out.match(/^administrator key: (\S+)$/m)?.[1];
      if (found) resolve(found);
    });
    child.once("close", () => resolve(undefined));
  });
  return async () => {
    const key = await printed;
    if (!key) throw new Error("hatang ended without printing an administrator key");
    return key;
  };
}

/** The address the program prints when it listens. */
function address(child) {
  return new Promise((resolve, reject) => {
    let out = "";
    let errors = "";
    const timer = setTimeout(() => reject(new Error(`no address after ${patience} ms; stderr: ${errors}`)), patience);
    const settle = (act) => { clearTimeout(timer); act(); };
    child.stdout.on("data", (chunk) => {
      out += chunk;
      const found = out.match(/^listening on (http:\/\/\S+)$/m);
      if (found) settle(() => resolve(found[1]));
    });
    child.stderr.on("data", (chunk) => { errors = (errors + chunk).slice(-4000); });
    child.once("error", (cause) => settle(() => reject(cause)));
    child.once("exit", (code) => settle(() => reject(new Error(`hatang ended with ${code}: ${errors}`))));
  });
}
