// Trends of a bed: one axis from the whole stay to the single beat, moved by wheel, touch and keys;
// or two times of the bed side by side, of the same length and on the same scale.
//
// The account stands in the section's data-*: `from` and `to` in microseconds of what is drawn,
// `besideFrom` and `besideTo` of the time beside, `state` (loading, drawn, away, other), `curves`
// (samples drawn of the stored curve), `caliper` in milliseconds. `patient` is whose page it is:
// where another one lies in the bed by now, nothing of theirs is drawn under the first one's name.

import { fetched, question, ranged } from "./trends-data.js";
import { ticksOf } from "./trends-axis.js";
import { draw, drawCalipers, drawMarks, drawStrip, drawTicks, scaleOf } from "./trends-draw.js";
import { fillEvents, fillTable } from "./trends-table.js";

const section = document.getElementById("trends");
const lanesBox = document.getElementById("lanes");
const words = JSON.parse(section.dataset.words);
const bed = section.dataset.bed;
const base = `/api/v1/icu/beds/${bed}`;
const figures = [...section.querySelectorAll(".lane[data-codes]")];
const strip = document.getElementById("strip");
const marks = document.getElementById("marks");
const files = document.getElementById("trends-export");
const paper = document.getElementById("strip-link");
const two = document.getElementById("trends-two");
const besideAt = document.getElementById("beside-at");
const rangeText = document.getElementById("trends-range");
const said = document.getElementById("trends-said");
const SPAN_US = { "10m": 600e6, "1h": 3600e6, "6h": 21600e6, "24h": 864e8, "3d": 2592e8, "7d": 6048e8 };
const CURVES_BELOW_US = 60e6; // from a minute on the stored curve is drawn
const EXPORT_BELOW_US = 2 * 3600e6; // what the server gives at a time
const NARROWEST_US = 2e6;
const WAIT_MS = 120; // while somebody turns the wheel nothing is asked for
const numbers = new Intl.NumberFormat(section.dataset.language, { maximumFractionDigits: 2 });
// What a lane may hold: its codes in order, each with its name, digits and least span of a scale.
const lanes = new Map(figures.map((figure) => {
  const values = JSON.parse(figure.dataset.values);
  return [figure, figure.dataset.codes.split(" ").map((code, index) => ({ code, index, ...values[index] }))];
}));
const codes = [...lanes.values()].flat();
const unitOf = (sent) => words.units[sent] ?? sent;
const STROKES = ["", "╌ ", "┈ "]; // of the lines of a lane, as they are drawn
const ahead = Number(section.dataset.now) - Date.now() * 1000; // the house's clock, not the tablet's
const now = () => Date.now() * 1000 + ahead;
const nothing = () => ({ trends: {}, events: [], pieces: [], step: 0 });

// The time that is looked at, and the time beside it: their canvases are `.now` and `.then`.
const main = { name: "now", view: { from: now() - SPAN_US["24h"], to: now() }, drawn: nothing() };
const beside = { name: "then", view: { from: 0, to: 1 }, drawn: nothing() };
const panes = () => (section.dataset.two === "yes" ? [beside, main] : [main]);
const width = () => main.view.to - main.view.from;
let stored = null; // whole stay: [from, to]
let asked = 0;
let timer = 0;
let calipers = [];

// Day before month and 24 hours, in both languages.
const LOCALE = section.dataset.language === "en" ? "en-GB" : section.dataset.language;
const local = (us, options) =>
  new Date(us / 1000).toLocaleString(LOCALE, { timeZone: section.dataset.zone, ...options });
const stamp = (us) =>
  local(us, { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Moves a pane; the other one keeps its middle and takes the same length. */
function show(from, to, pane = main) {
  const wide = Math.round(Math.max(NARROWEST_US, to - from));
  place(pane, (from + to) / 2, wide);
  for (const other of [main, beside]) {
    if (other !== pane) place(other, (other.view.from + other.view.to) / 2, wide);
  }
  if (section.dataset.state !== "other") section.dataset.state = "loading";
  paint(); // what is there, at its new place, at once
  clearTimeout(timer);
  timer = setTimeout(load, WAIT_MS);
}

function place(pane, middle, wide) {
  const from = Math.round(middle - wide / 2);
  pane.view = { from, to: from + wide };
}

async function load() {
  const mine = ++asked;
  const shown = panes();
  const points = Math.min(2000, Math.max(200, Math.round(lanesBox.clientWidth / shown.length)));
  const close = width() <= CURVES_BELOW_US;
  try {
    const found = await Promise.all(
      shown.map((pane) => ranged(base, pane.view, codes.map(({ code }) => code), points, close)));
    if (mine !== asked) return;
    if (!found.every(({ patient }) => theirs(patient))) return another();
    shown.forEach((pane, index) => { pane.drawn = found[index]; });
    const last = found.at(-1);
    [section.dataset.from, section.dataset.to] = [last.from, last.to];
    [section.dataset.besideFrom, section.dataset.besideTo] =
      shown.length > 1 ? [found[0].from, found[0].to] : ["", ""];
    section.dataset.mode = last.mode;
    document.getElementById("trends-mode").hidden = found.every(({ mode }) => !mode || mode === "Real");
    section.dataset.state = "drawn";
    said.textContent =
      found.some(({ trends, pieces }) => Object.keys(trends).length || pieces.length) ? "" : words.none;
    said.classList.remove("late");
    paint();
    tell(shown);
  } catch {
    if (mine !== asked) return;
    away();
  }
}

function away() {
  section.dataset.state = "away";
  said.classList.add("late");
  said.textContent = words.away;
}

/** Whether an answer is of the patient whose page this is; the first one says it of an empty bed. */
function theirs(patient) {
  if (!section.dataset.patient) section.dataset.patient = patient;
  return !patient || patient === section.dataset.patient;
}

function another() {
  for (const pane of [main, beside]) pane.drawn = nothing();
  said.classList.add("late");
  section.dataset.state = "other";
  paint();
  said.textContent = words.other;
  tell([]);
}

/** Under whose name the lanes stand, and the same as a table and a list. */
function tell(shown) {
  const other = section.dataset.state === "other";
  document.getElementById("trends-whose").hidden = other;
  document.getElementById("trends-anew").hidden = !other;
  fillTable(document.getElementById("trend-table"), shown, codes, words, numbers, stamp);
  const events = shown.flatMap((pane) => pane.drawn.events);
  fillEvents(document.getElementById("trend-events"), events, words, stamp, before);
}

/** What is drawn in a lane, each with its unit and, where there are several, its stroke; and from
where to where it goes. */
function caption(figure, shown, [low, high]) {
  const [lowest, highest] = [low, high].map((value) => numbers.format(value));
  const range = lowest === highest ? lowest : `${lowest}–${highest}`;
  const names = lanes.get(figure).flatMap(({ code, index, name }) => {
    const trend = shown.map(({ drawn }) => drawn.trends[code]).find(Boolean);
    return trend ? [`${STROKES[index]}${name} ${unitOf(trend.unit)}`.trim()] : [];
  });
  return `${names.join(" · ")}  ${range}`;
}

function paint() {
  const shown = panes();
  const printed = section.dataset.paper === "yes";
  const style = getComputedStyle(section);
  rangeText.textContent = shown.map(({ view }) => `${stamp(view.from)} – ${stamp(view.to)}`).join(" | ");
  for (const figure of figures) {
    const parts = shown.map(({ name, view, drawn }) => ({
      name, view, step: drawn.step,
      trends: lanes.get(figure).flatMap((value) =>
        drawn.trends[value.code] ? [{ ...value, ...drawn.trends[value.code] }] : []),
    }));
    figure.hidden = !parts.some(({ trends }) => trends.length);
    const scale = scaleOf(parts);
    if (figure.hidden) continue;
    if (scale) figure.querySelector("figcaption").textContent = caption(figure, shown, scale);
    for (const { name, trends, view, step } of parts) {
      draw(figure.querySelector(`.${name}`), trends, view, step, style, scale, movesOf(name));
    }
  }
  links();
  strip.hidden = width() > CURVES_BELOW_US || !shown.some(({ drawn }) => drawn.pieces.length);
  let curves = 0;
  for (const { name, drawn, view } of strip.hidden ? [] : shown) {
    curves = drawStrip(strip.querySelector(`.${name}`), drawn.pieces, view, style, printed && words["wave.not_to_scale"]);
  }
  section.dataset.curves = curves;
  for (const { name, drawn, view } of shown) {
    const ticks = ticksOf(view, marks.querySelector(`.${name}`).clientWidth, local);
    drawMarks(marks.querySelector(`.${name}`), drawn.events, view, style, ticks);
    for (const figure of figures.filter(({ hidden }) => !hidden)) {
      drawTicks(figure.querySelector(`.${name}`), view, style, ticks);
    }
    for (const figure of [...figures, strip, marks].filter(({ hidden }) => !hidden)) {
      drawCalipers(figure.querySelector(`.${name}`), view, style, calipers);
    }
  }
  caliperText();
}

/** When the patient came to another bed, as lines through every lane. */
function movesOf(name) {
  return panes().find((pane) => pane.name === name).drawn.events
    .filter(({ kind }) => kind === "move").map(({ us }) => us);
}

function links() {
  const range = question(main.view.from, main.view.to);
  const other = section.dataset.state === "other";
  files.hidden = other || width() > EXPORT_BELOW_US;
  for (const link of files.querySelectorAll("[data-export]")) {
    link.href = `${base}/waveforms/export?stay=true&format=${link.dataset.export}&${range}`;
  }
  paper.hidden = other || width() > CURVES_BELOW_US;
  paper.querySelector("a").href = `/icu/beds/${bed}/strip?${range}`;
}

function caliperText() {
  if (calipers.length < 2) {
    if (section.dataset.caliper) said.textContent = "";
    delete section.dataset.caliper;
    return;
  }
  const [a, b] = [...calipers].sort((x, y) => x - y);
  const ms = (b - a) / 1000;
  const rate = ms < 10000 ? ` · ${Math.round(60000 / ms)} ${unitOf("/min")}` : "";
  const apart = ms < 10000 ? `${Math.round(ms)} ${unitOf("ms")}` : `${numbers.format(ms / 1000)} ${unitOf("s")}`;
  said.textContent = `${words.caliper} ${apart}${rate}`;
  section.dataset.caliper = Math.round(ms);
}

/** The pane under a place of the page, and the moment that is drawn there. */
function paneAt(x) {
  const box = marks.querySelector(".now").getBoundingClientRect();
  return panes().length > 1 && x < box.left ? beside : main;
}

function timeAt(x, pane = paneAt(x)) {
  const box = marks.querySelector(`.${pane.name}`).getBoundingClientRect();
  return pane.view.from + ((x - box.left) / box.width) * width();
}

function zoom(factor, pane = main, centre = (pane.view.from + pane.view.to) / 2) {
  show(centre - (centre - pane.view.from) * factor, centre + (pane.view.to - centre) * factor, pane);
}

function pan(share, pane = main) {
  const shift = width() * share;
  show(pane.view.from + shift, pane.view.to + shift, pane);
}

/** Two times side by side: the one that ends at `us` stands at the left. */
function before(us) {
  section.dataset.two = "yes";
  two.setAttribute("aria-pressed", "true");
  document.getElementById("beside").hidden = false;
  show(us - width(), us, beside);
}

function toggle() {
  if (section.dataset.two !== "yes") return before(main.view.from);
  section.dataset.two = "no";
  two.setAttribute("aria-pressed", "false");
  document.getElementById("beside").hidden = true;
  show(main.view.from, main.view.to);
}

const ACTS = {
  in: (pane) => zoom(0.5, pane), out: (pane) => zoom(2, pane), left: (pane) => pan(-0.4, pane),
  right: (pane) => pan(0.4, pane), print: () => print(), two: () => toggle(),
};
const KEYS = { "+": "in", "=": "in", "-": "out", _: "out", ArrowLeft: "left", ArrowRight: "right" };

section.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.do) ACTS[button.dataset.do](main);
  else if (button.dataset.span) whole(button.dataset.span);
});
besideAt.addEventListener("change", () => {
  // As the field writes it: the clock of the hospital. A second look takes its offset there.
  const there = Date.parse(`${besideAt.value}Z`) * 1000;
  if (Number.isFinite(there)) before(there - offset(there - offset(there)));
});
lanesBox.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const pane = event.shiftKey && event.key.startsWith("Arrow") && panes().length > 1 ? beside : main;
  if (KEYS[event.key]) ACTS[KEYS[event.key]](pane);
  else if (event.key === "Home") whole("stay");
  else if (event.key === "End") show(now() - width(), now());
  else if (event.key === "Escape") calipers = [];
  else return;
  event.preventDefault();
  paint();
});
lanesBox.addEventListener("wheel", (event) => {
  event.preventDefault();
  const pane = paneAt(event.clientX);
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / 800, pane);
  else zoom(event.deltaY > 0 ? 1.4 : 1 / 1.4, pane, timeAt(event.clientX, pane));
}, { passive: false });

/** By how much the hospital's clock is ahead of UTC at a moment, in microseconds. */
function offset(us) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: section.dataset.zone, dateStyle: "short", timeStyle: "medium" });
  return Date.parse(`${parts.format(new Date(us / 1000)).replace(" ", "T")}Z`) * 1000 - Math.floor(us / 1e6) * 1e6;
}

// One finger or the mouse moves the axis, two fingers stretch it; a tap sets a caliper.
const fingers = new Map();
let moved = 0;
lanesBox.addEventListener("pointerdown", (event) => {
  lanesBox.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event.clientX);
  moved = 0;
});
lanesBox.addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId)) return;
  const earlier = [...fingers.values()];
  const last = fingers.get(event.pointerId);
  fingers.set(event.pointerId, event.clientX);
  moved += Math.abs(event.clientX - last);
  const after = [...fingers.values()];
  const pane = paneAt(earlier[0]);
  if (after.length === 1) pan((-(event.clientX - last) / lanesBox.clientWidth) * panes().length, pane);
  else if (after.length === 2) {
    const apart = (row) => Math.max(20, Math.abs(row[0] - row[1]));
    zoom(apart(earlier) / apart(after), pane, timeAt((after[0] + after[1]) / 2, pane));
  }
});
const lift = (event) => {
  if (fingers.size === 1 && moved < 4 && event.type === "pointerup") {
    calipers = [...calipers, timeAt(event.clientX)].slice(-2);
    paint();
  }
  fingers.delete(event.pointerId);
};
lanesBox.addEventListener("pointerup", lift);
lanesBox.addEventListener("pointercancel", lift);
addEventListener("resize", paint);

// Paper is white whatever the screen is: what is drawn is drawn once more in its colours.
let own = "";
function onPaper(on) {
  if ((section.dataset.paper === "yes") === on) return;
  const root = document.documentElement;
  if (on) own = root.dataset.theme ?? "";
  section.dataset.paper = on ? "yes" : "no";
  if (on || own) root.dataset.theme = on ? "light" : own;
  else delete root.dataset.theme;
  document.getElementById("trends-printed").textContent = stamp(now());
  paint();
}
addEventListener("beforeprint", () => onPaper(true));
addEventListener("afterprint", () => onPaper(false));
matchMedia("print").addEventListener("change", ({ matches }) => onPaper(matches));

async function whole(span) {
  for (const button of section.querySelectorAll("[data-span]")) {
    button.setAttribute("aria-pressed", String(button.dataset.span === span));
  }
  if (span !== "stay") {
    const end = stored && stored[1] < now() - SPAN_US[span] ? stored[1] : now();
    return show(end - SPAN_US[span], end);
  }
  try {
    const answer = await fetched(`${base}/trends?code=8867-4&points=1`);
    const found = await answer.json();
    stored = [Date.parse(found.from) * 1000, Date.parse(found.to) * 1000];
    show(stored[0], stored[1]);
  } catch {
    away();
  }
}

const linked = new URLSearchParams(location.hash.slice(1));
if (linked.has("from") && linked.has("to")) show(Number(linked.get("from")), Number(linked.get("to")));
else whole("24h");
