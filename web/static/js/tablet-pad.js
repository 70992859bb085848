// The keypad: one value at a time. What is unlikely is asked, never refused.

import { h, icon } from "./tablet-dom.js";
import * as model from "./tablet-model.js";
import { number, say, tables } from "./tablet-words.js";

// Which vital of the table a field writes; a pair is typed as 98/61.
export const FIELDS = {
  hr: ["hr"], bp: ["nibp_sys", "nibp_dia"], spo2: ["spo2"], rr: ["rr"], temp: ["temp"], glucose: ["glucose"],
};
// The engine's names of what could not be measured.
const UNMEASURED = { hr: "hr_bpm", bp: "sbp_mmhg", spo2: "spo2_pct", rr: "rr_bpm", temp: "temp_c" };
/** Whether it was tried twice and failed. */
export const unmeasured = (one, name) => (one.facts.not_measurable ?? []).includes(UNMEASURED[name]);

// What is typed belongs to one patient: a number half typed stays with whom it was typed for.
const states = new Map();

function stateOf(id) {
  if (!states.has(id)) states.set(id, { field: "hr", typed: "", ask: "", lost: false });
  return states.get(id);
}

export const field = (id) => stateOf(id).field;
export const typing = (id, name) => (stateOf(id).field === name ? stateOf(id).typed : "");

export function choose(id, name, draw) {
  Object.assign(stateOf(id), { field: name, typed: "", ask: "", lost: false });
  draw();
}

const vitals = (state) => FIELDS[state.field].map((key) => tables().vitals[key]);
const digits = (state) => state.typed.split("/").map((part) => (part === "" || part === "." ? NaN : Number(part)));
const outside = (range, value) => range && (value < range[0] || value > range[1]);

function press(id, key, draw) {
  const state = stateOf(id);
  [state.ask, state.lost] = ["", false];
  if (key === "back") state.typed = state.typed.slice(0, -1);
  else if (key === "." && (state.typed === "" || state.typed.split("/").at(-1).includes("."))) return;
  else if (key === "/" && (state.typed === "" || state.typed.includes("/"))) return;
  else if (state.typed.length < 7) state.typed += key;
  draw();
}

async function finish(one, draw) {
  const state = stateOf(one.id);
  const numbers = digits(state);
  if (numbers.length !== vitals(state).length || numbers.some(Number.isNaN)) {
    state.ask = state.field === "bp" ? say("tablet.pad_pair") : "";
    draw();
    return;
  }
  const doubtful = vitals(state).some((vital, index) => outside(vital.plausible, numbers[index]));
  if (doubtful && (!state.ask || state.lost)) {
    state.lost = false;
    state.ask = say("tablet.pad_really", { value: number(state.typed) });
    draw();
    return;
  }
  const values = vitals(state).map(({ code, unit }, index) => ({ code, unit, value: numbers[index] }));
  const left = (one.facts.not_measurable ?? []).filter((name) => name !== UNMEASURED[state.field]);
  const names = Object.keys(FIELDS);
  choose(one.id, names[(names.indexOf(state.field) + 1) % names.length], draw); // at once: fast fingers go on
  await model.addValues(one.id, values);
  if (left.length !== (one.facts.not_measurable ?? []).length) await model.say(one.id, { not_measurable: left });
}

/** What was tried twice and failed is a finding of its own (no pressure is red): it is asked. */
async function cannot(one, draw) {
  const state = stateOf(one.id);
  if (!state.lost) {
    Object.assign(state, { typed: "", ask: say("tablet.cannot_really"), lost: true });
    draw();
    return;
  }
  const name = UNMEASURED[state.field];
  const known = one.facts.not_measurable ?? [];
  if (name && !known.includes(name)) await model.say(one.id, { not_measurable: [...known, name] });
  Object.assign(state, { typed: "", ask: "", lost: false });
  draw();
}

/** Keys of a keyboard type, too. */
export function typed(event, one, draw) {
  if (/^[0-9./]$/.test(event.key)) press(one.id, event.key, draw);
  else if (event.key === ",") press(one.id, ".", draw);
  else if (event.key === "Backspace") press(one.id, "back", draw);
  else if (event.key === "Enter" && !event.target.closest("button, a, input, select")) finish(one, draw);
}

export function pad(one, draw) {
  const state = stateOf(one.id);
  const key = (name, words, label) =>
    h("button", { type: "button", "data-key": `pad-${name}`, "aria-label": label, onclick: () => press(one.id, name, draw) }, words ?? name);
  const mark = state.field === "bp" ? key("/", "/") : key(".", number("."), say("tablet.point"));
  const [first] = vitals(state);
  const usual = first.plausible && !state.ask ? say("tablet.pad_usual", { low: number(first.plausible[0]), high: number(first.plausible[1]) }) : "";
  return h("section", { class: "pad", "data-part": "pad", "aria-label": say("tablet.pad", { field: say(`tablet.v.${state.field}`) }) },
    h("p", { class: "ph" }, h("b", {}, say(`tablet.v.${state.field}`)), h("output", {}, number(state.typed) || "–"), h("span", {}, say(`tablet.u.${state.field}`))),
    h("p", { class: state.ask ? "hint late" : "hint" }, state.ask || usual),
    h("div", { class: "keys" }, [..."789456123"].map((digit) => key(digit)), mark, key("0"), key("back", "⌫", say("tablet.erase"))),
    h("div", { class: "two" },
      h("button", { type: "button", "data-key": "pad-cannot", disabled: !UNMEASURED[state.field], onclick: () => cannot(one, draw) }, say(state.lost ? "tablet.tried_twice" : "tablet.cannot")),
      h("button", { type: "button", class: "primary", "data-key": "pad-done", onclick: () => finish(one, draw) },
        state.ask && state.typed && !state.lost ? say("tablet.keep_it") : say("tablet.done"), icon("tick"))));
}
