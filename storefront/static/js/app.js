/* What every page shares. Each page works without this file; it only guards and comforts. */
/* Nobody is signed in here: what the village door kept on this phone is not for whoever comes next. */
if ("visitor" in document.documentElement.dataset) {
  self.caches?.delete("pages").then((was) => was && localStorage.removeItem("warmed"));
}

const confirmBox = document.getElementById("confirm");

/* A second tap on a sent form would send it twice: the first one locks it until the page changes. */
function lock(form, submitter) {
  form.dataset.sent = "1";
  /* A file that was downloaded, or no network at all, leaves the page standing. */
  setTimeout(() => unlock(form), 15000);
  const button = submitter ?? form.querySelector("[data-busy]");
  if (!button?.dataset.busy) return;
  button.dataset.working = "1";
  const words = button.querySelector("span") ?? button;
  button.dataset.said = words.textContent;
  words.textContent = button.dataset.busy;
}

function unlock(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[data-working]")) {
    delete button.dataset.working;
    (button.querySelector("span") ?? button).textContent = button.dataset.said;
  }
}

function ask(form, submitter) {
  const [no, yes] = confirmBox.querySelectorAll("button");
  confirmBox.querySelector("p").textContent = form.dataset.confirm;
  yes.textContent = form.dataset.confirmYes || yes.dataset.plain;
  confirmBox.returnValue = "no";
  confirmBox.showModal();
  no.focus();
  confirmBox.onclose = () => {
    if (confirmBox.returnValue !== "yes") return;
    form.dataset.confirmed = "1";
    form.requestSubmit(submitter);
  };
}

/* Capture: a stopped form must not reach htmx either. */
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const submitter = event.submitter;
    /* By attribute: a field called "method" hides the form's own property. */
    if (!form.matches("[method=post i], [hx-post]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (form.dataset.confirm && !form.dataset.confirmed && confirmBox?.showModal) {
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(form, submitter);
    } else {
      delete form.dataset.confirmed;
      lock(form, submitter);
    }
  },
  true,
);

for (const done of ["htmx:finally:request", "htmx:after:request", "htmx:afterRequest"]) {
  document.addEventListener(done, (event) => {
    const form = event.target.closest?.("form");
    if (form) unlock(form);
  });
}

/* Back from another page: the browser shows the page as it was left, locks included. */
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(unlock);
});

document.addEventListener("click", (event) => {
  const target = event.target;
  target.closest?.("[data-dismiss]")?.closest(".flash")?.remove();
  if (target.closest?.("[data-print]")) print();
  if (target.closest?.("[data-copy]")) copy(target.closest("[data-copy]"));
  const step = target.closest?.("[data-stepper] [name=step]");
  if (!step) return;
  const number = step.parentElement.querySelector("input");
  const next = Math.min(Number(number.max || Infinity), Math.max(Number(number.min || 0), Number(number.value) + Number(step.value)));
  event.preventDefault();
  if (next === Number(number.value)) return;
  number.value = next;
  number.dispatchEvent(new Event("change", { bubbles: true }));
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.form?.matches("[data-autosubmit]")) field.form.requestSubmit();
  if (field.type === "file" && field.files[0]) {
    const preview = document.querySelector(`[data-preview="${field.id}"]`);
    if (!preview) return;
    if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
    preview.src = URL.createObjectURL(field.files[0]);
    preview.hidden = false;
  }
});

async function copy(button) {
  const from = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(from.dataset.text ?? from.textContent);
  const words = button.querySelector("span");
  const plain = button.dataset.plain ?? words.textContent;
  button.dataset.plain = plain;
  words.textContent = button.dataset.done;
  setTimeout(() => (words.textContent = plain), 2000);
}

if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach((button) => (button.hidden = false));
document.querySelectorAll("[data-dismiss], [data-print]").forEach((button) => (button.hidden = false));
/* WeChat's browser cannot print: it says where one can instead of doing nothing. */
if (navigator.userAgent.includes("MicroMessenger")) {
  for (const button of document.querySelectorAll("[data-print]")) {
    const words = document.createElement("p");
    words.className = "no-print";
    words.textContent = document.body.dataset.noPrint;
    button.replaceWith(words);
  }
}
document.querySelector("[data-focus]")?.focus();
