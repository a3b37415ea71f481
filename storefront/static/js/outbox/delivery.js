/* Brings what waits to the market, one thing after another and one bringing at a time. The market takes each key once. */
import * as store from "./store.js";

const PART = 16 * 1024;
const MOST_IN_PARTS = 400 * 1024;
const IN_PARTS = ["photo", "certificate_photo"];
const PATIENCE = 30_000;
const OLD = 25 * 24 * 3600_000;
const SHOWN = 24 * 3600_000;
const TRIES = 3;

/* No network, or something between us and the market that is not the market: later. */
class Away extends Error {}

export function locked(work) {
  if (navigator.locks) return navigator.locks.request("outbox", work);
  return leased(work);
}

/* Browsers without locks: two tabs may still meet here, and the market takes a key only once. */
async function leased(work) {
  if (Number(localStorage.getItem("outbox-until")) > Date.now()) return "away";
  localStorage.setItem("outbox-until", Date.now() + 2 * PATIENCE);
  try {
    return await work();
  } finally {
    localStorage.removeItem("outbox-until");
  }
}

/* Sends what waits. Returns why it stopped: "away", "sign-in", or "" when nothing is left to send. */
export function flush() {
  return locked(async () => {
    await forgetSent();
    const waiting = await store.all("waiting");
    if (!waiting.length) return "";
    try {
      const pass = await readPass();
      if (!pass) return "sign-in";
      for (const act of waiting) if (act.hand === pass.hand) await bring(act.key, pass);
      return "";
    } catch (error) {
      if (error instanceof Away) return "away";
      throw error;
    }
  });
}

async function bring(key, pass) {
  /* Read again: one sent before it may have changed what this one says it saw. */
  const act = await store.get(key);
  if (Date.now() - act.at > OLD && !act.again) return store.put({ ...act, state: "asks", why: "old" });
  if (act.photo) await sendAhead(act.photo, pass);
  const answer = await ask(act.path, { method: "POST", body: bodyOf(act), headers: { "x-csrf-token": pass.token } });
  const told = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
  if (answer.ok) {
    /* A page where an answer was promised: somebody else's welcome page. */
    if (!told.to) throw new Away();
    const { photo, ...rest } = act;
    const differs = told.to.includes("/disagreements/");
    const outcome = differs ? { state: "asks", why: "differs" } : { state: "sent", sent: Date.now() };
    await store.put({ ...rest, ...outcome, to: told.to, news: told.said });
    return differs || passOn(act);
  }
  const tries = (act.tries ?? 0) + 1;
  const again = told.error === "StillRunning" || (answer.status === 403 && told.error === "NotAllowed" && tries < TRIES);
  if (again || (answer.status >= 500 && tries < TRIES)) {
    await store.put({ ...act, tries });
    throw new Away();
  }
  return store.put({ ...act, state: "asks", why: told.message ?? wordsIn(await textOf(answer)) });
}

/* A later word about the same number, said on the same phone, knew of this one. */
async function passOn(act) {
  const value = (name) => act.fields.find(([field]) => field === name)?.[1];
  const seen = value("quantity") ?? (value("price") && String(Math.round(Number(value("price")) * 100)));
  if (value("seen") === undefined || !seen) return;
  for (const later of await store.all("waiting")) {
    if (later.path !== act.path || later.at < act.at) continue;
    const fields = later.fields.map(([name, text]) => [name, name === "seen" ? seen : text]);
    await store.put({ ...later, fields });
  }
}

function bodyOf({ fields, key, photo }) {
  const body = photo && !inParts(photo) ? new FormData() : new URLSearchParams();
  for (const [name, value] of fields) body.append(name, value);
  body.append("key", key);
  if (photo && inParts(photo)) {
    body.append(`${photo.field}_upload`, photo.name);
    body.append(`${photo.field}_size`, photo.data.byteLength);
  } else if (photo) {
    body.append(photo.field, new Blob([photo.data], { type: photo.type }), "photo");
  }
  return body;
}

/* What an agent photographs at the station goes with its form, as without scripts. */
const inParts = ({ field, data }) => IN_PARTS.includes(field) && data.byteLength <= MOST_IN_PARTS;

async function sendAhead(photo, pass) {
  if (!inParts(photo)) return;
  const path = `/village/uploads/${photo.name}`;
  let { received } = await (await ask(path)).json();
  while (received < photo.data.byteLength) {
    const body = new Blob([photo.data.slice(received, received + PART)]);
    const headers = { "x-csrf-token": pass.token, "content-type": "application/octet-stream" };
    const answer = await ask(`${path}?start=${received}`, { method: "POST", body, headers });
    if (!answer.ok) throw new Away();
    const now = (await answer.json()).received;
    if (!(now > received)) throw new Away();
    received = now;
  }
}

async function readPass() {
  const answer = await ask("/village/pass");
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 403) return null;
  if (!told.token) throw new Away();
  return told;
}

async function ask(path, { headers, ...options } = {}) {
  const stop = new AbortController();
  const clock = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(path, {
      ...options,
      headers: { ...headers, "x-outbox": "1" },
      redirect: "manual",
      cache: "no-store",
      signal: stop.signal,
    });
    if ([0, 408, 429, 502, 503, 504].includes(answer.status)) throw new Away();
    return answer;
  } catch {
    throw new Away();
  } finally {
    clearTimeout(clock);
  }
}

async function textOf(answer) {
  return answer.bodyUsed ? "" : answer.text();
}

/* What the page that asks again says is wrong. */
function wordsIn(page) {
  const found = page.match(/class="error"[\s\S]*?<span>([^<]+)<\/span>/) ?? page.match(/class="flash flash--error"[\s\S]*?>([^<\s][^<]+)</);
  return found?.[1] ?? "";
}

async function forgetSent() {
  for (const act of await store.all("sent")) if (Date.now() - act.sent > SHOWN) await store.remove(act.key);
}
