/* A photo that was chosen and not yet sent lies on the phone too: the tab may die, or a question before be looked at again. */
import * as store from "./store.js";
import { shrink } from "./shrink.js";

const LONGEST = 86_400_000;
const FIELDS = "form input[type=file]";
let saving = Promise.resolve();
let isPuttingBack = false;

/* Of whom, for which page and produce, and for which question. */
function nameOf(field) {
  const hand = field.form?.elements.namedItem("key")?.value?.split(".")[1];
  const produce = new URLSearchParams(location.search).get("produce") ?? "";
  return hand && ["draft", hand, location.pathname, produce, field.name].join(" ");
}

async function save(field) {
  const key = nameOf(field);
  const [file] = field.files;
  if (!key) return;
  if (!file) return store.remove(key);
  const small = await shrink(file, { isPaper: field.name !== "photo" });
  await store.put({ key, state: "draft", at: Date.now(), type: small.type, data: await small.arrayBuffer() });
}

async function putBack(field) {
  const kept = nameOf(field) && (await store.get(nameOf(field)));
  if (!kept || field.files.length) return;
  const chosen = new DataTransfer();
  chosen.items.add(new File([kept.data], "photo.jpg", { type: kept.type }));
  field.files = chosen.files;
  isPuttingBack = true;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  isPuttingBack = false;
}

/* What waits as an act is no draft any more; what was taken back is one again. */
export async function forget(form) {
  await saving;
  for (const field of form.querySelectorAll("input[type=file]")) if (nameOf(field)) await store.remove(nameOf(field));
}

export function remember(form) {
  for (const field of form.querySelectorAll("input[type=file]")) saving = saving.then(() => save(field)).catch(() => {});
  return saving;
}

export async function keepDrafts() {
  document.addEventListener("change", ({ target }) => {
    if (!isPuttingBack && target.matches(FIELDS)) remember(target.form);
  });
  for (const { key, at } of await store.all("draft")) if (Date.now() - at > LONGEST) await store.remove(key);
  for (const field of document.querySelectorAll(FIELDS)) await putBack(field);
}
