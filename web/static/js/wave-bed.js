// The page of a bed: its lanes, the keys for the curves, and frames of the board for this bed only.

import { now as serverNow } from "./clock.js";
import { PlayClock } from "./wave-clock.js";
import { Lane } from "./wave-lane.js";
import { follow } from "./wave-socket.js";
import { duration, say } from "./words.js";

const SPEEDS = [12.5, 25, 50];
const GAINS = [2.5, 5, 10, 20, 40];
const SWEEP_S = 10; // at 25 mm/s a wide lane holds this
const LEAST_PXMM = 96 / 25.4; // a CSS millimetre
const MOST_PXMM = 6;
const SILENT_US = 2e6;

const page = document.querySelector(".bedpage");
const section = document.querySelector("[data-part=curves]");
const play = new PlayClock();
const lanes = [];
const byCode = new Map();
let frozen = false;
let speed = 25;
let gain = 10;

function add(node) {
  const lane = new Lane(node.querySelector("canvas"), node.dataset.form);
  lane.node = node;
  lanes.push(lane);
  for (const code of node.dataset.codes.split(" ")) byCode.set(code, lane);
}

function take(frame) {
  if (frame.place !== page.dataset.bed) return;
  const lane = byCode.get(frame.code);
  if (!lane) return;
  play.arrived(frame.t0, performance.now());
  if (lane.node.hidden) {
    lane.node.hidden = false;
    fit();
  }
  lane.node.querySelector(".sim").hidden = frame.mode === "Real";
  lane.unit = frame.unit;
  lane.take(frame);
}

/** Sizes, scale and colour of every lane; what was painted is painted again. */
function fit() {
  for (const lane of lanes) {
    if (lane.node.hidden) continue;
    const grown = lane.fit();
    const pxmm = Math.min(MOST_PXMM, Math.max(LEAST_PXMM, lane.width / (SWEEP_S * 25)));
    if (!grown && lane.pxmm === pxmm && lane.speed === speed && lane.gain === gain && !lane.tinted) continue;
    Object.assign(lane, { pxmm, speed, gain, tinted: false });
    lane.redraw();
  }
}

const number = (value) => String(value).replace(".", document.documentElement.lang === "ru" ? "," : ".");

function show() {
  for (const node of section.querySelectorAll("[data-part=scale]")) {
    node.textContent = say("wave.scale", { speed: number(speed), gain: number(gain) });
  }
  section.querySelector("[data-part=gain]").textContent = number(gain);
  for (const button of section.querySelectorAll("[data-act=speed]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
  }
  section.querySelector("[data-act=freeze]").setAttribute("aria-pressed", String(frozen));
  section.toggleAttribute("data-frozen", frozen);
  fit();
}

function next(list, value, step) {
  return list[Math.min(list.length - 1, Math.max(0, list.indexOf(value) + step))];
}

const act = {
  freeze: () => (frozen = !frozen),
  speed: (value) => (speed = value),
  slower: () => (speed = next(SPEEDS, speed, -1)),
  faster: () => (speed = next(SPEEDS, speed, 1)),
  gain: (step) => (gain = next(GAINS, gain, step)),
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select")) return;
  const letters = document.querySelector("[data-part=letters]");
  if (letters && !letters.checked) return;
  if (event.code === "Space") {
    if (event.target.closest?.("button, a")) return;
    act.freeze();
  } else if (event.key === "+" || event.key === "=") act.gain(1);
  else if (event.key === "-") act.gain(-1);
  else if (event.code === "BracketLeft") act.slower();
  else if (event.code === "BracketRight") act.faster();
  else return;
  event.preventDefault();
  show();
}

/** A lane whose curve has ended says so; a flat line would be read as a heart that stands still. */
function silence() {
  const time = play.at(performance.now());
  for (const lane of lanes) {
    const wait = lane.cursor === null;
    const gone = wait || (time !== null && time - lane.cursor > SILENT_US);
    if (!gone) lane.node.removeAttribute("data-empty");
    else lane.node.dataset.empty = wait ? "wait" : "gone";
    if (gone && !wait) {
      const words = say("wave.none", { age: duration(time - lane.cursor) });
      lane.node.querySelector("[data-part=none]").textContent = words;
    }
  }
  section.dataset.at = Math.round(serverNow());
}

function tick() {
  requestAnimationFrame(tick);
  if (frozen) return;
  const time = play.at(performance.now());
  if (time === null) return;
  for (const lane of lanes) if (!lane.node.hidden && lane.width) lane.draw(time);
}

/** Of a frame of the board only what stands on this page: its tile, its values, the bar. */
function ours(text) {
  if (typeof text !== "string" || !text.startsWith("<")) return text;
  const all = document.createElement("template");
  all.innerHTML = text;
  const tile = `bed-${page.dataset.bed}`;
  for (const node of [...all.content.children]) {
    if (node.id === tile || (node.id && document.getElementById(node.id))) continue;
    const inside = node.querySelector(`[id="${tile}"]`);
    if (inside) {
      inside.setAttribute("hx-swap-oob", "morph");
      node.replaceWith(inside);
    } else node.remove();
  }
  return all.innerHTML;
}

// Fragments that the page asks for over HTTP are its own; only frames of the socket are sorted.
htmx.defineExtension("bed", { transformResponse: (text, request) => (request ? text : ours(text)) });
section.querySelectorAll(".lane").forEach(add);
section.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  act[button.dataset.act](Number(button.dataset.speed ?? button.dataset.step));
  show();
});
document.addEventListener("keydown", pressed);
new ResizeObserver(fit).observe(section);
const recolour = () => {
  for (const lane of lanes) lane.tinted = true;
  fit();
};
new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
setInterval(silence, 500);
show();
follow(`/ws/v1/waveforms/${section.dataset.unit}?bed=${page.dataset.bed}`, take);
requestAnimationFrame(tick);
