// The time machine: asks for one second after another. Ages are counted by the time of the frame, so
// what was late then is drawn as late; nothing moves between two frames.

import { paint } from "./ages.js";
import * as clock from "./clock.js";

const form = document.getElementById("seek");
const { at, speed, slide } = form.elements;
const button = form.querySelector("[data-act=play]");
const trouble = form.querySelector("[data-part=trouble]");
const local = new Intl.DateTimeFormat("sv-SE", { timeZone: document.body.dataset.zone, dateStyle: "short", timeStyle: "medium" });
const TURN_MS = 1000;
const PAGE_S = { PageUp: 60, PageDown: -60 }; // the browser's own page of a slider is a tenth of it

let second = Number(document.getElementById("then").dataset.at);
let timer = null;
let asking = null;

/** The slider stands at a second, and says which to who cannot see it. */
function stand(wanted) {
  slide.value = wanted;
  slide.setAttribute("aria-valuetext", local.format(Number(slide.value) * 1000));
}

function age() {
  clock.beat(second * 1000, true);
  paint(true);
}

function stop() {
  clearTimeout(timer);
  timer = null;
  button.setAttribute("aria-pressed", "false");
}

/** Show a second; answers whether it came. */
async function show(wanted) {
  asking?.abort();
  const control = (asking = new AbortController());
  const query = new URLSearchParams({ at: `${new Date(wanted * 1000).toISOString().slice(0, 19)}Z` });
  if (form.dataset.bed) query.set("bed", form.dataset.bed);
  try {
    const answer = await fetch(`${form.dataset.frame}?${query}`, { signal: control.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    if (control !== asking) return false;
    const made = document.createElement("template");
    made.innerHTML = text;
    document.getElementById("then").replaceWith(made.content);
  } catch (error) {
    if (error.name === "AbortError") return false;
    trouble.textContent = trouble.dataset.words;
    trouble.hidden = false;
    stop();
    stand(second); // where the frame still is
    return false;
  }
  trouble.hidden = true;
  second = wanted;
  if (second > Number(slide.max)) slide.max = second;
  if (second < Number(slide.min)) slide.min = second;
  stand(second);
  at.value = local.format(second * 1000).replace(" ", "T");
  age();
  return true;
}

async function play() {
  const begun = performance.now();
  if (!(await show(second + Number(speed.value))) || timer === null) return;
  timer = setTimeout(play, Math.max(0, TURN_MS - (performance.now() - begun)));
}

form.querySelector(".play").hidden = false;
button.addEventListener("click", () => {
  if (timer !== null) return stop();
  button.setAttribute("aria-pressed", "true");
  timer = 0;
  play();
});
for (const step of form.querySelectorAll("[data-step]")) {
  step.addEventListener("click", () => show(second + Number(step.dataset.step)));
}
slide.addEventListener("input", () => stand(slide.value));
slide.addEventListener("change", () => show(Number(slide.value)));
slide.addEventListener("keydown", (event) => {
  const step = PAGE_S[event.key];
  if (step === undefined) return;
  event.preventDefault();
  stand(Number(slide.value) + step);
  show(Number(slide.value));
});
stand(second);
age();
