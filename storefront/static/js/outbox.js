/* A form of this door is first kept on the phone, then sent. With network nobody notices; without, it waits. */
import { flush, locked } from "./outbox/delivery.js";
import { forget, keepDrafts, remember } from "./outbox/draft.js";
import { keepDoor, sayKept } from "./outbox/keeping.js";
import { showList } from "./outbox/list.js";
import * as store from "./outbox/store.js";
import { shrink } from "./outbox/shrink.js";

const banner = document.getElementById("outbox");
const PERSON_WAITS = 6000;
const AGAIN = 20_000;
const SECOND_TAP = 400;

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const key = form.elements.namedItem("key");
  /* By attribute: a field called "method" hides the form's own property. */
  if (event.defaultPrevented || !form.matches("[method=post i]") || !key?.value?.includes(".")) return;
  event.preventDefault();
  if (isUnanswered(form, event.submitter)) return unlock(form);
  const act = await actOf(form, event.submitter);
  try {
    await store.put(act);
    await forget(form);
  } catch {
    return sendPlainly(form, act); /* a browser that keeps nothing */
  }
  await Promise.race([deliver(), pause(PERSON_WAITS)]);
  const now = await store.get(act.key);
  if (now?.to) {
    await store.remove(act.key);
    localStorage.removeItem("warmed");
    return go(now.to);
  }
  if (now?.state === "asks") {
    /* Refused while the person looks on: the market's own page says it best. */
    await store.remove(act.key);
    await remember(form);
    return sendPlainly(form, act);
  }
  return showKept(act, form);
});

/* Without network nobody would say that the answer is missing. */
function isUnanswered(form, submitter) {
  const picture = form.querySelector("input[type=file]");
  if (picture && submitter?.value === "with" && !picture.files.length) {
    picture.click();
    return true;
  }
  const number = form.querySelector("[data-keypad] input");
  if (!number || number.value !== "" || navigator.onLine) return false;
  number.setAttribute("aria-invalid", "true");
  number.focus();
  return true;
}

async function actOf(form, submitter) {
  const given = [...new FormData(form)];
  if (submitter?.name) given.push([submitter.name, submitter.value]);
  const hand = form.elements.namedItem("key").value.split(".")[1];
  const fields = given.filter(([name, value]) => typeof value === "string" && name !== "key" && name !== "csrf_token");
  const picture = submitter?.value === "without" ? null : given.find(([, value]) => value.size > 0);
  const path = new URL(form.getAttribute("action") || location.href, location.href).pathname;
  return {
    key: `${randomName()}.${hand}`,
    hand,
    path,
    fields,
    photo: picture ? await photoOf(picture[0], picture[1]) : null,
    said: saidBy(form, submitter),
    page: location.pathname + location.search,
    at: Date.now(),
    state: "waiting",
  };
}

async function photoOf(field, file) {
  const small = await shrink(file, { isPaper: field !== "photo" });
  /* Bytes, not a Blob: some phones lose Blobs that are kept. */
  return { field, name: randomName(), type: small.type, data: await small.arrayBuffer() };
}

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function saidBy(form, submitter) {
  const words = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";
  const plain = submitter?.getAttribute("aria-label") || submitter?.dataset.said || words(submitter);
  const about = words(form.closest("article, section")?.querySelector("h2") ?? document.querySelector("h1"));
  const said = form.dataset.said;
  if (!said) return [about, plain].filter(Boolean).join(" · ");
  return said.replace(/\{(\w+)\}/g, (_all, name) => form.elements.namedItem(name)?.value ?? "");
}

function deliver() {
  return navigator.onLine === false ? Promise.resolve("away") : flush();
}

function sendPlainly(form, act) {
  form.elements.namedItem("key").value = act.key;
  /* What the button said is not sent this way by itself. */
  const isSent = (name) => [...form.elements].some((each) => each.name === name && each.type !== "submit");
  for (const [name, value] of act.fields) {
    if (!isSent(name)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  HTMLFormElement.prototype.submit.call(form);
}

function go(to) {
  const url = new URL(to, location.href);
  if (url.pathname + url.search !== location.pathname + location.search) return location.assign(url);
  location.hash = url.hash;
  return location.reload();
}

/* The page makes way for a few words: kept, and how to take it back. */
function showKept(act, form) {
  const main = document.getElementById("main");
  const before = [...main.childNodes];
  const panel = document.getElementById("outbox-kept").content.cloneNode(true);
  const dock = document.querySelector(".sticky-bar");
  panel.firstElementChild.dataset.act = act.key;
  panel.querySelector("[data-said]").textContent = act.said;
  panel.querySelector("[data-undo]").addEventListener("click", async () => {
    await locked(async () => {
      if ((await store.get(act.key))?.state !== "sent") await store.remove(act.key);
    });
    main.replaceChildren(...before);
    remember(form);
    if (dock) dock.hidden = false;
    show();
  });
  unlock(form);
  main.replaceChildren(panel);
  if (dock) dock.hidden = true;
  holdStill();
  main.focus();
  scrollTo(0, 0);
  show();
  /* Not to be cleared away when the phone runs full. */
  navigator.storage?.persist?.().catch(() => {});
  /* Where the browser can, it sends on its own once there is network, even with this page closed. */
  navigator.serviceWorker?.ready.then((worker) => worker.sync?.register("outbox")).catch(() => {});
}

/* The second of two quick taps was meant for the button that stood here. */
function holdStill() {
  const { dataset } = document.documentElement;
  dataset.still = "";
  setTimeout(() => delete dataset.still, SECOND_TAP);
}

function unlock(form) {
  delete form.dataset.sent;
  for (const button of document.querySelectorAll("[data-working]")) {
    delete button.dataset.working;
    (button.querySelector("span") ?? button).textContent = button.dataset.said;
  }
}

async function show(why = "") {
  const mine = (act) => act.hand === banner.dataset.hand;
  const waiting = (await store.all("waiting")).filter(mine).length;
  const asks = (await store.all("asks")).filter(mine).length;
  const text = asks ? banner.dataset.asks : why === "sign-in" ? banner.dataset.signIn : banner.dataset.waiting;
  banner.hidden = !(waiting || asks);
  banner.querySelector("[data-words]").textContent = text.replace("{n}", asks || waiting);
  await showSent();
  await showList(banner.dataset.hand);
  return waiting;
}

/* Network came while the words still stand there. */
async function showSent() {
  const panel = document.querySelector("[data-act]");
  if (!panel || (await store.get(panel.dataset.act))?.state !== "sent") return;
  panel.querySelector("[data-later]").hidden = panel.querySelector("[data-undo]").hidden = true;
  panel.querySelector("[data-done]").hidden = false;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let due;

async function sendWaiting() {
  clearTimeout(due);
  const before = await show();
  const why = await deliver();
  const left = await show(why);
  if (left < before) await keepDoor(banner.dataset, { anew: true });
  if (left) due = setTimeout(sendWaiting, AGAIN);
}

if (banner && "indexedDB" in window) {
  sayKept();
  show().then(sendWaiting, () => {});
  keepDrafts().catch(() => {});
  keepDoor(banner.dataset).catch(() => {});
  addEventListener("online", sendWaiting);
  addEventListener("outbox", sendWaiting);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && sendWaiting());
}
