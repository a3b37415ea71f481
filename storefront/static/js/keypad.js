/* Big keys for a number. The system keyboard hides half a small screen, so the input is told not to open it. */
function allowed(text, decimals, digits) {
  const [whole, part, more] = text.split(".");
  if (more !== undefined || !/^\d*$/.test(whole) || whole.length > digits) return false;
  return part === undefined || (decimals > 0 && /^\d*$/.test(part) && part.length <= decimals);
}

function pressed(text, key) {
  if (key === "clear") return "";
  if (key === "back") return text.slice(0, -1);
  if (key === ".") return text === "" ? "0." : text + ".";
  return text === "0" ? key : text + key;
}

function showBand(band, value) {
  if (!band) return;
  const number = Number(value);
  const known = value !== "" && number > 0;
  const where = !known ? "within" : number < Number(band.dataset.low) ? "below" : number > Number(band.dataset.high) ? "above" : "within";
  band.dataset.where = where;
  const words = band.querySelector("[data-band-text]");
  const text = band.dataset[`${where}Text`];
  if (words.textContent !== text) words.textContent = text;
}

function enhance(pad) {
  const input = pad.querySelector("input");
  const keys = pad.querySelector(".keypad__keys");
  const band = pad.querySelector("[data-band]");
  const unit = pad.querySelector("[data-unit]");
  const { decimals, digits, measure } = pad.dataset;
  let last = input.value;

  const set = (text) => {
    if (!allowed(text, Number(decimals), Number(digits))) text = last;
    last = text;
    if (input.value !== text) input.value = text;
    input.size = Math.max(1, text.length);
    showBand(band, text);
  };
  keys.hidden = false;
  input.inputMode = "none";
  /* A finger uses the keys; a keyboard still types. */
  input.addEventListener("input", () => set(input.value.replace("。", ".")));
  keys.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    input.removeAttribute("aria-invalid");
    set(pressed(input.value, key));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  if (measure) {
    const follow = () => {
      const chosen = document.querySelector(`input[name="${measure}"]:checked`);
      if (chosen) unit.textContent = chosen.parentElement.textContent.trim();
    };
    document.addEventListener("change", (event) => event.target.name === measure && follow());
    follow();
  }
  set(input.value);
}

document.querySelectorAll("[data-keypad]").forEach(enhance);
