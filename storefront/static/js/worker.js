/* Keeps the village door on the phone. Pages come from the network first; without it the kept one is shown, and says so.
   Files carry their content's hash in the name, so a kept page always finds the files it was made for. */
import { flush } from "./outbox/delivery.js";

const PAGES = "pages";
const FILES = "files";
const PATIENCE = 5000;
const MOST_PAGES = 60;
const SHELL = /^\/village\/\d+\/offline$/;
/* What a page says once, after an act; the page is kept without it. */
const ONCE = ["new", "undo", "was", "stopped", "left"];
const IN_PAGE = /["'(](\/(?:static|photos)\/[\w.-]+)/g;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("sync", (event) => event.waitUntil(flush()));
addEventListener("message", (event) => {
  const told = warm(event.data).catch(() => false);
  event.waitUntil(told.then((all) => event.ports[0].postMessage(all)));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (/^\/(static|photos)\//.test(url.pathname)) event.respondWith(file(event));
  else if (request.mode === "navigate") event.respondWith(page(event, url));
});

async function file({ request }) {
  const kept = await caches.match(request.url, { cacheName: FILES });
  return kept ?? fetch(request);
}

async function page(event, url) {
  const coming = fetch(event.request).then((answer) => {
    if (isPage(answer) && isKept(url)) event.waitUntil(keep(url.pathname, answer.clone()));
    return answer;
  });
  const away = coming.then((answer) => [502, 503, 504].includes(answer.status), () => true);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, true));
  if (!(await Promise.race([away, late]))) return coming;
  /* Slow or gone. An act that changed the page is not shown undone while its answer is on the way. */
  const kept = await keptOf(url);
  return kept ? marked(kept) : coming;
}

const isPage = (answer) => answer.ok && !answer.redirected && (answer.headers.get("content-type") ?? "").startsWith("text/html");
const isKept = (url) => !url.pathname.endsWith("/new") && [...url.searchParams.keys()].every((name) => ONCE.includes(name));

/* The page itself, or the one page that can ask every question, or the way to it. */
async function keptOf(url) {
  const pages = await caches.open(PAGES);
  if (isKept(url)) {
    const kept = await pages.match(url.pathname);
    if (kept) return kept;
  }
  const shells = (await pages.keys()).filter((each) => SHELL.test(new URL(each.url).pathname));
  const [, tab] = url.pathname.match(/^\/village(?:\/(orders|money))?$/) ?? [];
  if (shells.length && (tab || url.pathname === "/village"))
    return Response.redirect(new URL(shells[0].url).pathname.replace("offline", tab ?? "goods"));
  const own = url.pathname.match(/^\/village\/\d+/)?.[0];
  const number = url.pathname.match(/^\/village\/goods\/(\d+)/)?.[1];
  for (const shell of shells) {
    const found = await pages.match(shell);
    if (own ? shell.url.endsWith(`${own}/offline`) : !number || (await found.clone().text()).match(new RegExp(`data-listings="[^"]*\\b${number}\\b`)))
      return found;
  }
  return shells.length ? pages.match(shells[0]) : undefined;
}

async function marked(kept) {
  if (kept.type === "error" || kept.status >= 300) return kept;
  const text = await kept.text();
  return new Response(text.replace("<html ", `<html data-kept="${kept.headers.get("x-kept-at")}" `), { headers: kept.headers });
}

async function keep(path, answer) {
  const text = await answer.text();
  const files = await caches.open(FILES);
  for (const name of namesIn(text)) if (!(await files.match(name))) await keepFile(files, name).catch(() => {});
  const headers = new Headers(answer.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  headers.set("x-kept-at", String(Date.now()));
  await (await caches.open(PAGES)).put(path, new Response(text, { headers }));
}

/* Photos only if they are on the phone already: they are looked at now and then, and weigh more than all the rest. */
async function keepFile(files, name) {
  const isPhoto = name.startsWith("/photos/");
  const answer = await fetch(name, isPhoto ? { cache: "only-if-cached", mode: "same-origin" } : {});
  if (answer.ok && !answer.redirected) await files.put(name, answer);
}

const namesIn = (text) => new Set([...text.matchAll(IN_PAGE)].map(([, name]) => name));

/* Whether all of it is on the phone now. */
async function warm({ paths, shown }) {
  let all = true;
  for (const path of paths) {
    /* Shown just now, it may still lie in the browser's own cache. */
    const answer = await fetch(path, path === shown ? { cache: "force-cache" } : {}).catch(() => null);
    if (answer && isPage(answer)) await keep(path, answer);
    else all = false;
  }
  await tidy();
  return all;
}

/* The newest pages and the files they need; the page that asks everything goes last. */
async function tidy() {
  const pages = await caches.open(PAGES);
  const kept = await Promise.all((await pages.keys()).map(async (request) => [request, await pages.match(request)]));
  const age = ([request, answer]) => (SHELL.test(new URL(request.url).pathname) ? 2 : 1) * Number(answer.headers.get("x-kept-at"));
  kept.sort((a, b) => age(b) - age(a));
  for (const [request] of kept.splice(MOST_PAGES)) await pages.delete(request);
  const needed = new Set();
  for (const [, answer] of kept) for (const name of namesIn(await answer.text())) needed.add(name);
  const files = await caches.open(FILES);
  for (const request of await files.keys()) if (!needed.has(new URL(request.url).pathname)) await files.delete(request);
}
