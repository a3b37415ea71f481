/* Reads the page aloud with the phone's own voice. The button stays hidden where there is none. */
const SKIP = "script, style, svg, [hidden], [aria-hidden=true], .visually-hidden, .keypad__keys, .bottom-bar, .flash__close, details:not([open]) .note__text";

function wordsOf(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(SKIP).forEach((part) => part.remove());
  copy.querySelectorAll("input:not([type=hidden]), textarea").forEach((input) => {
    const spoken = ["radio", "checkbox", "file"].includes(input.type) ? "" : input.value;
    input.replaceWith(` ${spoken} `);
  });
  copy.querySelectorAll("h1, h2, h3, p, li, dt, dd, label, button, a, legend").forEach((part) => part.append("。"));
  return copy.textContent.replace(/\s+/g, " ").replace(/[。 ]*。[。 ]*/g, "。").trim();
}

function ready(button) {
  const label = button.querySelector("span");
  const plain = label.textContent;
  const rest = () => {
    label.textContent = plain;
    button.setAttribute("aria-pressed", "false");
  };
  button.hidden = false;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const talking = button.getAttribute("aria-pressed") === "true";
    speechSynthesis.cancel();
    if (talking) return rest();
    /* As it stands now: what was typed, chosen or said since the page came. */
    const parts = button.dataset.speak.split(" ").map((id) => document.getElementById(id)).filter(Boolean);
    const speech = new SpeechSynthesisUtterance(parts.map(wordsOf).join(""));
    speech.lang = document.documentElement.lang;
    speech.rate = 0.9;
    speech.onend = speech.onerror = rest;
    label.textContent = button.dataset.stop;
    button.setAttribute("aria-pressed", "true");
    speechSynthesis.speak(speech);
  });
}

if ("speechSynthesis" in window) {
  document.querySelectorAll("[data-speak]").forEach(ready);
  addEventListener("pagehide", () => speechSynthesis.cancel());
}
