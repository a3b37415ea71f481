/* The page of what waits: each thing in words, what became of it, and the way back. */
import { locked } from "./delivery.js";
import * as store from "./store.js";

/* What was taken back while this page is open can be put back. */
const takenBack = new Map();

export async function showList(hand) {
  const list = document.getElementById("waiting");
  if (!list) return;
  const acts = await store.all("waiting", "asks", "sent");
  const mine = acts.filter((act) => act.hand === hand);
  const rows = [...mine, ...takenBack.values()].sort((a, b) => b.at - a.at).map((act) => rowOf(list, act));
  list.replaceChildren(...rows);
  document.getElementById("waiting-none").hidden = rows.length > 0;
  const others = acts.filter((act) => act.hand !== hand && act.state !== "sent").length;
  const theirs = document.getElementById("waiting-others");
  theirs.hidden = !others;
  theirs.textContent = theirs.dataset.words.replace("{n}", others);
}

function rowOf(list, act) {
  const row = document.getElementById("waiting-row").content.cloneNode(true);
  const part = (name) => row.querySelector(`[data-${name}]`);
  const when = new Date(act.sent ?? act.at);
  part("said").textContent = act.said;
  part("when").textContent = `${when.getMonth() + 1}.${when.getDate()} ${when.toTimeString().slice(0, 5)}`;
  part("state").textContent = list.dataset[act.why === "differs" ? "differs" : act.state];
  part("why").textContent = act.why === "old" ? list.dataset.old : (act.news ?? [act.why ?? ""]).join(" ");
  part("undo").hidden = act.to || !["waiting", "asks"].includes(act.state);
  part("again").hidden = act.to || act.state !== "asks";
  part("back").hidden = act.state !== "gone";
  part("open").hidden = !act.to;
  part("open").href = act.to ?? "";
  /* The market keeps both words and goes on asking; the phone need not. */
  part("open").addEventListener("click", () => store.put({ ...act, state: "sent", sent: Date.now() }));
  part("undo").addEventListener("click", () => change(() => takeBack(act.key)));
  part("again").addEventListener("click", () => change(() => store.put({ ...act, state: "waiting", tries: 0, again: true })));
  part("back").addEventListener("click", () => change(() => putBack(act.key)));
  return row;
}

async function takeBack(key) {
  const act = await store.get(key);
  if (!act || act.state === "sent") return;
  takenBack.set(key, { ...act, state: "gone" });
  await store.remove(key);
}

async function putBack(key) {
  await store.put({ ...takenBack.get(key), state: "waiting" });
  takenBack.delete(key);
}

/* Never while something is on its way. */
async function change(work) {
  await locked(work);
  dispatchEvent(new Event("outbox"));
}
