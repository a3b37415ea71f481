// Turns storefront/static into storefront/static/dist: minified, named after its content, compressed, listed in
// manifest.json. `node frontend/build.mjs`, which bin/run does whenever an input changed.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import * as esbuild from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "storefront/static");
const target = join(sources, "dist");
const fresh = `${target}.new`;
const packages = join(root, "node_modules");

// The oldest phones and desktops a county office still has in use.
const browsers = ["chrome86", "safari14.1"];

const manifest = {};

async function main() {
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  const wanted = await readJson(join(root, "frontend/icons.json"), { icons: {}, pictures: {} });
  await Promise.all([styles(), scripts(), htmx(), icons(wanted.icons), pictures(wanted.pictures)]);
  await writeFile(join(fresh, "manifest.json"), `${JSON.stringify(sorted(manifest), null, 2)}\n`);
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
}

async function styles() {
  const entry = join(sources, "css/app.css");
  if (existsSync(entry)) {
    await publish("app.css", await bundle(entry, { external: ["*.svg", "*.woff2", "*.png", "*.webp"] }));
  }
}

async function scripts() {
  for (const file of await list("js", ".js")) {
    await publish(basename(file), await bundle(file, { format: "iife" }));
  }
}

async function htmx() {
  await publish("htmx.js", await bundle(join(packages, "htmx.org/dist/htmx.js"), { legalComments: "none" }));
}

async function bundle(entry, options) {
  const result = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    charset: "utf8",
    target: browsers,
    write: false,
    logLevel: "error",
    ...options,
  });
  return result.outputFiles[0].contents;
}

// Phosphor's outlines take the colour of the text around them.
async function icons(names) {
  const symbols = await Promise.all(
    Object.entries(sorted(names)).map(async ([name, phosphor]) => {
      const file = join(packages, "@phosphor-icons/core/assets/regular", `${phosphor}.svg`);
      const drawing = await readFile(file, "utf8").catch(() => refuse(`phosphor has no icon "${phosphor}" (${name})`));
      return symbol(`i-${name}`, drawing, ' fill="currentColor"');
    }),
  );
  await publish("icons.svg", sprite(symbols));
}

// Pictures keep their own colours: Fluent's flat emoji, and our drawings of what has no emoji.
async function pictures(names) {
  const emoji = await readJson(join(packages, "@iconify-json/fluent-emoji-flat/icons.json"), {});
  const symbols = Object.entries(sorted(names)).map(([name, key]) => symbol(`p-${name}`, picture(emoji, name, key)));
  for (const file of await list("drawings", ".svg")) {
    symbols.push(symbol(`p-${basename(file, ".svg")}`, await readFile(file, "utf8")));
  }
  await publish("pictures.svg", sprite(symbols));
}

function picture(emoji, name, key) {
  const icon = emoji.icons[key] ?? refuse(`fluent-emoji-flat has no picture "${key}" (${name})`);
  return `<svg viewBox="0 0 ${icon.width ?? emoji.width} ${icon.height ?? emoji.height}">${icon.body}</svg>`;
}

// One <symbol> of a whole <svg>. Ids inside are prefixed, or one drawing's gradients would colour another.
function symbol(id, svg, attributes = "") {
  const [, head, body] = svg.match(/<svg\b([^>]*)>([\s\S]*)<\/svg>/) ?? refuse(`${id} is not an SVG drawing`);
  const box = head.match(/viewBox="([^"]+)"/)?.[1] ?? refuse(`${id} has no viewBox`);
  const own = body
    .replace(/<!--[\s\S]*?-->|<metadata[\s\S]*?<\/metadata>/g, "")
    .replace(/\bid="([^"]+)"/g, `id="${id}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${id}-$1)`)
    .replace(/href="#([^"]+)"/g, `href="#${id}-$1"`)
    .replace(/>\s+</g, "><")
    .trim();
  const inherited = ["fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin"]
    .map((name) => head.match(new RegExp(`\\s${name}="[^"]*"`))?.[0])
    .filter(Boolean)
    .join("");
  return `<symbol id="${id}" viewBox="${box}"${attributes || inherited}>${own}</symbol>`;
}

function sprite(symbols) {
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${symbols.sort().join("")}</svg>\n`);
}

async function publish(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const hashed = name.replace(/\.(?=[^.]+$)/, `-${hash}.`);
  manifest[name] = hashed;
  await Promise.all([
    writeFile(join(fresh, hashed), content),
    writeFile(join(fresh, `${hashed}.gz`), gzipSync(content, { level: 9 })),
    writeFile(join(fresh, `${hashed}.br`), brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })),
  ]);
}

async function list(folder, suffix) {
  const path = join(sources, folder);
  const names = existsSync(path) ? await readdir(path) : [];
  return names.filter((name) => name.endsWith(suffix)).sort().map((name) => join(path, name));
}

async function readJson(path, otherwise) {
  return existsSync(path) ? JSON.parse(await readFile(path, "utf8")) : otherwise;
}

function sorted(object = {}) {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function refuse(sentence) {
  throw new Error(sentence);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
