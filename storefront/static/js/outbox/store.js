/* What waits on this phone. Each act lies here before it is sent, so that a killed tab or a dead network loses nothing. */
let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("yigou", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("acts", { keyPath: "key" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function run(mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const change = database.transaction("acts", mode);
    const asked = work(change.objectStore("acts"));
    change.oncomplete = () => resolve(asked.result);
    change.onerror = change.onabort = () => reject(change.error);
  });
}

export const put = (act) => run("readwrite", (acts) => acts.put(act));
export const get = (key) => run("readonly", (acts) => acts.get(key));
export const remove = (key) => run("readwrite", (acts) => acts.delete(key));

/* In the order they were done. */
export async function all(...states) {
  const acts = await run("readonly", (acts) => acts.getAll());
  return acts.filter((act) => states.includes(act.state)).sort((a, b) => a.at - b.at);
}
