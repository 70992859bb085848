// Before the cases: pairing with a code, and the PIN that opens what lies on the device.

import { h } from "./tablet-dom.js";
import * as store from "./tablet-store.js";
import { say } from "./tablet-words.js";

const PIN = 6;
const WAIT_S = [0, 0, 0, 0, 5, 15, 30, 60]; // after so many wrong PINs; nothing is wiped unsent
const state = { code: "", pin: "", first: "", wrong: 0, until: 0, words: "", busy: false, other: false };

const codeOfAddress = () => {
  const code = new URLSearchParams(location.hash.slice(1)).get("pair") ?? "";
  if (code) history.replaceState(null, "", location.pathname);
  return code;
};

export function begin() {
  state.code = codeOfAddress() || state.code;
}

function press(digit, draw, enter) {
  if (state.busy || Date.now() < state.until) return;
  state.pin = digit === "back" ? state.pin.slice(0, -1) : (state.pin + digit).slice(0, PIN);
  state.words = "";
  if (state.pin.length === PIN) enter();
  draw();
}

function pad(draw, enter) {
  const key = (digit, words) =>
    h("button", { type: "button", "data-key": `pin-${digit}`, onclick: () => press(digit, draw, enter), "aria-label": words }, digit === "back" ? "⌫" : digit);
  return h("div", { class: "keys pin", "data-part": "pin" }, [..."123456789"].map((digit) => key(digit)), h("span"), key("0"), key("back", say("tablet.erase")));
}

const dots = () =>
  h("p", { class: "dots" }, h("span", { "aria-hidden": "true" }, "●".repeat(state.pin.length) + "○".repeat(PIN - state.pin.length)),
    h("span", { class: "unseen" }, say("tablet.pin_digits", { n: state.pin.length })));

/** Digits of a keyboard count, too. */
export function typed(event, draw, done) {
  if (event.target.closest("input")) return;
  const digit = event.key === "Backspace" ? "back" : event.key;
  if (digit === "back" || /^\d$/.test(digit)) press(digit, draw, () => enterFor(draw, done));
}

let enterFor = () => {};

export function unlock(draw, done) {
  enterFor = async () => {
    state.busy = true;
    draw();
    const opened = await store.unlock(state.pin);
    Object.assign(state, { pin: "", busy: false });
    if (opened) {
      state.wrong = 0;
      done();
      return;
    }
    state.wrong += 1;
    state.until = Date.now() + WAIT_S[Math.min(state.wrong, WAIT_S.length - 1)] * 1000;
    state.words = say("tablet.pin_wrong");
    draw();
  };
  return h("main", { class: "gate", "data-part": "gate" },
    h("h1", {}, say("tablet.title")), h("p", {}, say("tablet.pin_enter")), dots(),
    h("p", { class: "late" }, state.busy ? say("tablet.opening") : state.words), pad(draw, () => enterFor(draw, done)));
}

export function pairing(draw, done) {
  enterFor = async () => {
    if (!state.first) {
      Object.assign(state, { first: state.pin, pin: "" });
      draw();
      return;
    }
    const same = state.first === state.pin;
    const pin = state.pin;
    Object.assign(state, { first: "", pin: "" });
    if (!same) {
      state.words = say("tablet.pin_differs");
      draw();
      return;
    }
    state.busy = true;
    draw();
    state.words = await pair(pin);
    state.busy = false;
    if (state.words) draw();
    else done();
  };
  const code = h("input", { class: "codein", "data-key": "code", maxlength: 16, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", value: state.code || null,
    oninput: (event) => { state.code = event.target.value; } });
  const giveUp = async () => {
    state.words = await pair(state.kept, true);
    if (state.words) draw();
    else done();
  };
  return h("main", { class: "gate", "data-part": "pairing" },
    h("h1", {}, say("tablet.pair")), h("label", {}, say("tablet.pair_code"), code),
    h("p", {}, state.first ? say("tablet.pin_again") : say("tablet.pin_new")), dots(),
    h("p", { class: "late" }, state.busy ? say("tablet.opening") : state.words),
    state.other ? h("button", { type: "button", "data-key": "give-up", onclick: giveUp }, say("tablet.give_up")) : null,
    pad(draw, () => enterFor(draw, done)));
}

/** Hands the code in; words about what went wrong, or none. */
async function pair(pin, giveUp = false) {
  state.other = !giveUp && (await store.known()) && (await store.count()) > 0 && !(await store.unlock(pin));
  if (state.other) {
    state.pin = "";
    state.kept = pin;
    return say("tablet.pair_other_pin"); // before the code is used: it works once
  }
  try {
    const answer = await fetch("/tablet/pairing", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code: state.code }),
    });
    if (!answer.ok) return say("tablet.pair_refused");
    const made = await answer.json();
    const about = await fetch("/api/v1/crew", { headers: { Authorization: `Bearer ${made.token}` }, credentials: "omit" });
    if (!about.ok) return say("tablet.pair_refused");
    await adopt(pin, made, await about.json());
    return "";
  } catch {
    return say("tablet.pair_no_link");
  }
}

/** A tablet that is paired again with its own PIN keeps what it has not sent. */
async function adopt(pin, made, about) {
  const own = (await store.known()) && (await store.unlock(pin));
  if (!own) await store.found(pin);
  await store.setSecret("token", made.token);
  await store.setSecret("about", { ...about, crew: made.device.replace(/^.*?-/, "") });
}
