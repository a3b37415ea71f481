/* Has the worker keep this door on the phone, and says on a kept page that it is one. */
const FRESH = 10 * 60_000;
/* Whether the worker fetched this page, and so has kept it. It may take over later. */
const fetchedByWorker = Boolean(navigator.serviceWorker?.controller);

/* A page as it was; what it said then of an act just done is past. */
export function sayKept() {
  const { kept } = document.documentElement.dataset;
  const notice = document.getElementById("kept-notice");
  if (!kept || !notice) return;
  const when = new Date(Number(kept));
  const time = `${when.getMonth() + 1}.${when.getDate()} ${when.toTimeString().slice(0, 5)}`;
  const isAsking = document.querySelector(".sticky-bar:not([hidden])");
  notice.querySelector("span").textContent = isAsking ? notice.dataset.asking : notice.dataset.words.replace("{time}", time);
  notice.hidden = false;
  document.getElementById("flashes")?.replaceChildren();
  if (isAsking) return;
  let due;
  addEventListener("online", () => (due = setTimeout(() => location.reload(), 1500)), { once: true });
  /* Who is on the way to another page is not called back to this one. */
  addEventListener("beforeunload", () => clearTimeout(due));
}

export async function keepDoor({ hand, house }, { anew = false } = {}) {
  if (!navigator.serviceWorker || document.documentElement.dataset.kept || navigator.onLine === false) return;
  if (localStorage.getItem("hand") !== hand) {
    await caches.delete("pages");
    localStorage.setItem("hand", hand);
    localStorage.removeItem("warmed");
  }
  await navigator.serviceWorker.register("/worker.js", { scope: "/village" });
  const [warmed, at] = (localStorage.getItem("warmed") ?? "").split(" ");
  if (!house || (!anew && warmed === house && Date.now() - Number(at) < FRESH)) return;
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => data && localStorage.setItem("warmed", `${house} ${Date.now()}`);
  const home = `/village/${house}/`;
  const isFirst = !(await (await caches.open("pages")).match(`${home}offline`));
  /* Who comes again gets the money too: no first visit carries it all. */
  const own = ["goods", "orders", "offline", ...(isFirst ? [] : ["money"])].map((page) => home + page);
  const here = fetchedByWorker ? location.pathname : "";
  const paths = own.filter((path) => path !== here);
  active.postMessage({ paths, shown: location.pathname }, [port2]);
}
