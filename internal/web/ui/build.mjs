// Bundles src/ into ../dist: index.html, and assets whose names hold a hash of their
// content so that they can be cached for ever. dist/.gitkeep stays, because the Go
// embedding needs the folder in a fresh clone.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "dist");
const assets = join(dist, "assets");

const result = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts", style: "src/app.css", "api-map": "src/api-map.ts", "api-style": "src/api.css" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  entryNames: "[name]-[hash]",
  outdir: assets,
  legalComments: "none", // the licences are collected below, whole
  metafile: true,
  write: false,
});

rmSync(assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });
for (const file of result.outputFiles) {
  writeFileSync(file.path, file.contents);
  const name = basename(file.path);
  console.log(`${name}  ${file.contents.length} bytes, ${gzipSync(file.contents, { level: 9 }).length} gzip`);
}

const written = (prefix, suffix) => {
  const found = readdirSync(assets).find((n) => n.startsWith(prefix) && n.endsWith(suffix));
  if (!found) throw new Error(`the bundle has no ${prefix}*${suffix}`);
  return `/assets/${found}`;
};

/** Writes data under a hashed name and returns its address. */
function asset(name, extension, data) {
  const hash = createHash("sha256").update(data).digest("hex").slice(0, 8).toUpperCase();
  writeFileSync(join(assets, `${name}-${hash}.${extension}`), data);
  return `/assets/${name}-${hash}.${extension}`;
}

/** The licence texts of the packages that are in the bundle, as they ask to be copied. */
function licences() {
  const packages = new Set();
  for (const input of Object.keys(result.metafile.inputs)) {
    const m = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (m) packages.add(m[1]);
  }
  return [...packages].sort().map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((n) => /^licen[cs]e/i.test(n));
    const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "";
    return `${name} ${version} (${license ?? "see below"})\n\n${text}`;
  }).join("\n\n----------------------------------------\n\n");
}

const page = readFileSync(join(here, "src", "index.html"), "utf8")
  .replace("{{script}}", written("app-", ".js"))
  .replace("{{style}}", written("style-", ".css"))
  .replace("{{icon}}", asset("icon", "svg", readFileSync(join(here, "src", "icon.svg"))))
  .replace("{{licences}}", asset("licences", "txt", Buffer.from(licences())));
writeFileSync(join(dist, "index.html"), page);
