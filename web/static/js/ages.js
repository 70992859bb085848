// Values grow old here, without any message: amber, then withdrawn (SAFETY I6). The moments come
// with each cell; the rules are those of web/views/values.py.

import { now } from "./clock.js";
import { clock, duration, say, since } from "./words.js";

const GONE = "– –";
const STALE_RANK = 5; // place of "data 9 s ago" in the order of last lines
const TECHNICAL_RANK = 4;
const KEPT_RANK = 3; // while NOT LIVE, alarms and "check patient" keep their line
const kept = new WeakMap(); // withdrawn cell -> its number, out of the page until measured again
const said = new WeakMap(); // cell -> what it says, of which moment, and until when that is true
const aged = new WeakSet(); // tiles whose last line tells of old values
let wasLive = null; // whether the page was at the last look

const set = (node, text) => {
  if (node && node.textContent !== text) node.textContent = text;
};
const mark = (node, name, value) => {
  if (value === null || value === "") node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
};

function quality(kind, amber, gone, time) {
  if (gone && time >= gone) return kind === "continuous" ? "gone" : "old";
  return kind !== "spot" && amber && time >= amber ? "stale" : "";
}

/** The cell was sent anew: it is looked at as if for the first time. */
export function sent(cell) {
  said.delete(cell);
}

/** The cell was measured again with the same number: what was taken out comes back. */
export function measured(cell) {
  if (!kept.has(cell)) return;
  set(cell.querySelector(".n"), kept.get(cell));
  kept.delete(cell);
}

function number(cell, withdrawn) {
  const place = cell.querySelector(".n");
  if (withdrawn && place.textContent !== GONE) {
    kept.set(cell, place.textContent);
    place.textContent = GONE;
  } else if (!withdrawn && place.textContent === GONE) measured(cell);
}

/** The next moment at which a cell says something else: it turns, or its age counts on. */
function untilWhen(at, amber, gone, time, counts) {
  const age = time - at;
  const step = age < 60e6 ? 1e6 : 60e6;
  const next = counts ? at + (Math.floor(age / step) + 1) * step : Infinity;
  return Math.min(next, ...[amber, gone].filter((moment) => moment > time));
}

/** The state of a cell; on a board of fifty beds nearly all say the same as a moment ago. */
function value(cell, time, live) {
  const { at, amber } = cell.dataset;
  const known = said.get(cell);
  if (known && live === wasLive && known.at === at && known.amber === amber && time < known.until) return known.state;
  const state = aging(cell, time, live);
  const { kind, gone, q } = cell.dataset;
  const counts = !live || q !== undefined || kind !== "continuous";
  said.set(cell, { at, amber, state, until: untilWhen(Number(at), Number(amber), Number(gone), time, counts) });
  return state;
}

function aging(cell, time, live) {
  const { kind, at, amber, gone, fixed, q } = cell.dataset;
  if (fixed !== undefined || at === "0") return "";
  // Nothing is withdrawn while the board says NOT LIVE: the last values stay readable, in grey.
  const state = live ? quality(kind, Number(amber), Number(gone), time) : q || "";
  if (live) {
    mark(cell, "data-q", state);
    if (kind === "continuous") number(cell, state === "gone");
  }
  const [when, ago] = cell.querySelectorAll(".age > span");
  const quiet = live && state === "" && kind === "continuous";
  const timed = kind !== "continuous" && kind !== "newest";
  const freshest = live && state === "" && kind === "newest";
  set(when, (timed || !live) && state !== "gone" ? clock(Number(at)) : "");
  set(ago, quiet || freshest || (!live && !timed) ? "" : duration(time - Number(at)));
  return kind === "continuous" ? state : "";
}

function foot(tile, states, time, live) {
  if (live && live === wasLive && !states.length && !aged.has(tile)) return;
  const line = tile.querySelector(".foot");
  if (!line) return;
  const cells = [...tile.querySelectorAll(".v[data-kind=continuous]:not([data-fixed])")];
  const newest = Math.max(0, ...cells.map((cell) => Number(cell.dataset.at)));
  const words = line.querySelector("[data-part=aged]");
  const all = cells.length > 0 && states.length === cells.length;
  let text = "";
  if (!live && newest) text = say("foot.kept", { time: clock(newest, true) });
  else if (all && states.every((state) => state === "gone")) text = say("foot.gone", { age: duration(time - newest) });
  else if (all) text = say("foot.stale", { age: duration(time - newest) });
  else if (states.length) {
    const old = cells.filter((cell) => cell.dataset.q);
    const at = Math.min(...old.map((cell) => Number(cell.dataset.at)));
    const name = old.map((cell) => cell.querySelector(".name").textContent).join(", ");
    text = say("foot.stale_one", { name, age: duration(time - at) });
  }
  if (text) aged.add(tile);
  else aged.delete(tile);
  const limit = !live ? KEPT_RANK : states.includes("gone") ? TECHNICAL_RANK : STALE_RANK;
  mark(line, "data-late", text && Number(line.dataset.rank) > limit ? "yes" : null);
  set(words, text);
}

/** Bring every age, state and running time of the page to the present. */
export function paint(live) {
  const time = now();
  for (const tile of document.querySelectorAll(".tile")) {
    const states = [];
    for (const cell of tile.querySelectorAll(".v[data-at]")) {
      const state = value(cell, time, live);
      if (state) states.push(state);
    }
    foot(tile, states, time, live);
  }
  for (const cell of document.querySelectorAll(".iv .v[data-at]")) value(cell, time, live);
  for (const node of document.querySelectorAll("time[data-since]")) set(node, since(time - Number(node.dataset.since)));
  for (const node of document.querySelectorAll("time[data-until]")) set(node, duration(Number(node.dataset.until) - time));
  for (const node of document.querySelectorAll("time[data-age]")) set(node, duration(time - Number(node.dataset.age)));
  for (const node of document.querySelectorAll(".newest[data-at]")) {
    const { at, amber } = node.dataset;
    if (at === "0") continue;
    set(node.querySelector(".ago"), say("time.ago", { age: duration(time - Number(at)) }));
    mark(node, "data-late", Number(amber) && time >= Number(amber) ? "yes" : null);
  }
  for (const node of document.querySelectorAll(".eta[data-eta]")) {
    const left = -Math.floor((time - Number(node.dataset.eta)) / 60e6);
    set(node.querySelector(".num"), String(Math.abs(left)));
    set(node.querySelector(".what"), say(left < 0 ? "ed.late" : "ed.min"));
    mark(node, "data-late", left < 0 ? "yes" : null);
  }
  for (const node of document.querySelectorAll("time[data-due]")) {
    const left = -Math.floor((time - Number(node.dataset.due)) / 60e6);
    set(node, say("ed.due_min", { n: String(left).replace("-", "−") }));
    mark(node, "data-late", left < 0 ? "yes" : null);
  }
  set(document.querySelector("[data-part=clock]"), clock(time, true));
  wasLive = live;
}
