/* Without network: the question that the address asks for, from what the phone kept. The market checks it all again. */
const root = document.getElementById("offline");
const { house, produce, goods, words } = JSON.parse(root.dataset.kept);
const asked = new URLSearchParams(location.search);
const home = `/village/${house}`;
const SAID = ["produce", "counted", "quantity", "price", "price_for"];

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
const yuan = (fen) => String(fen / 100);
const whole = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : NaN);
const fenOf = (text) => (/^\d{1,7}(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 100) : NaN);

function screen(name) {
  for (const part of document.querySelectorAll("[data-screen]")) part.hidden = part.dataset.screen !== name;
  const asks = ["amount", "price", "photo"].includes(name);
  document.querySelector(".bottom-bar").hidden = asks;
  return root.querySelector(`[data-screen=${name}]`);
}

function part(section, name, text) {
  for (const found of section.querySelectorAll(`[data-${name}]`)) found.textContent = text;
}

function draw(section, code) {
  const picture = root.querySelector(`.pick[href$="=${code}"] svg`)?.cloneNode(true);
  const place = section.querySelector("[data-picture]");
  if (!picture) return;
  picture.classList.add("picture--sm");
  place.replaceChildren(picture);
}

function carry(form, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value == null) continue;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
}

function segments(form, name, choices, chosen) {
  const field = form.querySelector(`#f-${name}`);
  if (choices.length < 2) {
    field.remove();
    if (choices.length) carry(form, { [name]: choices[0][0] });
    return;
  }
  const one = field.querySelector("label");
  const made = choices.map(([value, text]) => {
    const label = one.cloneNode(true);
    Object.assign(label.querySelector("input"), { value, defaultChecked: value === chosen });
    label.querySelector("span").textContent = text;
    return label;
  });
  one.parentElement.replaceChildren(...made);
}

function complain(section, problem) {
  const error = section.querySelector("[data-error]");
  error.hidden = !problem;
  if (problem) error.querySelector("span").textContent = words[problem];
}

const answers = (...leaveOut) => Object.fromEntries(SAID.filter((name) => asked.has(name) && !leaveOut.includes(name)).map((name) => [name, asked.get(name)]));
const again = (ask) => `${home}/goods/new?${new URLSearchParams({ ...answers(), ask })}`;

function wrongAmount(way, text) {
  const count = whole(text);
  if (!(count > 0)) return "not_a_number";
  return count > way.most ? "far_too_many" : "";
}

function wrongPrice(way, text) {
  const fen = fenOf(text);
  if (!(fen > 0)) return "not_a_number";
  return fen < way.least_fen ? "far_too_low" : fen > way.most_fen ? "far_too_high" : "";
}

function askAmount(item, way, problem) {
  const section = screen("amount");
  const form = section.querySelector("form");
  draw(section, item.code);
  part(section, "q", fill(words.amount, item));
  carry(form, answers("counted", "quantity"));
  segments(form, "counted", item.ways.map((each) => [each.key, each.short]), way.key);
  part(section, "unit", way.short);
  form.elements.namedItem("quantity").value = asked.get("quantity") ?? "";
  complain(section, problem);
}

function priced(section, way, value) {
  const form = section.querySelector("form");
  form.elements.namedItem("price").value = value;
  part(section, "unit", way.per);
  const [low, high] = way.quiet;
  const usual = fill(words.usual, way);
  const texts = { withinText: usual, belowText: fill(words.below, { usual }), aboveText: fill(words.above, { usual }) };
  Object.assign(section.querySelector("[data-band]").dataset, { low, high, ...texts });
  part(section, "band-text", usual);
  return form;
}

function askPrice(item, way, problem) {
  const section = screen("price");
  draw(section, item.code);
  part(section, "q", fill(words.price, way));
  section.querySelector(".back").href = again("amount");
  const form = priced(section, way, asked.get("price_for") === way.key ? (asked.get("price") ?? "") : "");
  carry(form, { ...answers("price", "price_for", "counted"), counted: way.key, price_for: way.key });
  complain(section, problem);
}

function askPhoto(item, way) {
  const section = screen("photo");
  const form = section.querySelector("form");
  const values = { name: item.name, n: asked.get("quantity"), unit: way.unit, price: yuan(fenOf(asked.get("price"))), one: way.one };
  draw(section, item.code);
  part(section, "name", item.name);
  part(section, "left", `${values.n} ${way.unit}`);
  part(section, "price", fill(words.costs, values));
  part(section, "gate", item.gate);
  section.querySelector(".back").href = again("price");
  for (const link of section.querySelectorAll("[data-change]")) link.href = again(link.dataset.change);
  form.querySelector("#f-ready legend").textContent = item.day;
  segments(form, "ready", item.days.map(([ago, text]) => [dayBefore(ago), text]), dayBefore(item.usual));
  carry(form, { ...answers("counted"), counted: way.key });
  form.dataset.said = fill(words.put_up, values);
}

/* A day as Shanghai counts it. */
function dayBefore(days) {
  return new Date(Date.now() + 8 * 3600_000 - days * 86400_000).toISOString().slice(0, 10);
}

function askNew() {
  const item = produce.find((each) => each.code === asked.get("produce"));
  if (!item) return screen("what");
  const way = item.ways.find((each) => each.key === asked.get("counted")) ?? item.ways[0];
  const amount = asked.get("quantity");
  const wrong = amount === null ? "" : wrongAmount(way, amount);
  if (asked.get("ask") === "amount" || amount === null || wrong) return askAmount(item, way, wrong);
  const price = asked.get("price_for") === way.key ? asked.get("price") : null;
  const bad = price === null ? "" : wrongPrice(way, price);
  if (asked.get("ask") === "price" || price === null || bad) return askPrice(item, way, bad);
  return askPhoto(item, way);
}

/* A number of one listing: the same keypads, sent instead of carried on. */
function askNumber(listing, about) {
  const name = about === "stock" ? "amount" : "price";
  const section = screen(name);
  const form = section.querySelector("form");
  const photo = document.getElementById("ask-photo").elements;
  form.setAttribute("method", "post");
  form.action = `/village/goods/${listing.id}/${about}`;
  carry(form, { csrf_token: photo.namedItem("csrf_token").value, key: photo.namedItem("key").value });
  section.querySelector(".steps").replaceWith(section.querySelector(".back"));
  section.querySelector(".back").href = `/village/goods/${listing.id}`;
  draw(section, listing.code);
  document.querySelector(`.sticky-bar[data-screen=${name}] button span`).textContent = words.done;
  if (about === "stock") {
    part(section, "q", fill(words.left, listing));
    form.querySelector("#f-counted").remove();
    form.querySelector("[data-keypad]").removeAttribute("data-measure");
    part(section, "unit", listing.way.unit);
    form.elements.namedItem("quantity").value = listing.left;
    carry(form, { seen: listing.left });
    form.dataset.said = fill(words.set_left, { name: listing.name, unit: listing.way.unit });
  } else {
    part(section, "q", fill(words.new_price, listing.way));
    priced(section, listing.way, yuan(listing.price_fen));
    carry(form, { seen: listing.price_fen });
    form.dataset.said = fill(words.set_price, { name: listing.name });
  }
}

function showListing(listing) {
  const section = screen("listing");
  draw(section, listing.code);
  part(section, "name", listing.name);
  part(section, "left", fill(words.remaining, { n: listing.left, unit: listing.way.unit }));
  part(section, "price", fill(words.costs, { price: yuan(listing.price_fen), one: listing.way.one }));
  const [left, price] = section.querySelectorAll("a.button");
  left.href = `/village/goods/${listing.id}/stock`;
  price.href = `/village/goods/${listing.id}/price`;
}

const [, number, about] = location.pathname.match(/^\/village\/goods\/(\d+)(?:\/(stock|price))?$/) ?? [];
const listing = goods.find((each) => String(each.id) === number);
if (location.pathname === "/village/waiting") screen("waiting");
else if (location.pathname.endsWith("/goods/new")) askNew();
else if (listing && about) askNumber(listing, about);
else if (listing) showListing(listing);

/* One question a screen, for whoever reads the page by other means too. */
document.querySelectorAll("[data-screen][hidden]").forEach((part) => part.remove());
