// Alarms sound: the highest active priority of the board's tiles, by the plan of the server
// (icu/sound.py, IEC 60601-1-8). A tile says in data-rings what rings in its bed and until when it
// is silent, and in data-reminds when a reminder was due. Nothing here is an alarm of its own.

import * as clock from "./clock.js";
import { audio, muted } from "./sound.js";
import { say } from "./words.js";

const ORDER = ["high", "medium", "low"];
const REMINDED_US = 10e6; // an older reminder has sounded elsewhere, or is no news
const VIBRATE = { high: [300, 100, 300, 100, 300], medium: [300, 100, 300] };
const CHECKED = "sound-checked";
const SHIFT_HOURS = [8, 20]; // when a shift begins (docs/alarms.md)
const root = document.documentElement;
const plan = document.body.dataset.sound ? JSON.parse(document.body.dataset.sound) : null;
const part = (name) => document.querySelector(`[data-part=${name}]`);

let rung = null; // { priority, newest, at }: the last burst
let reminded = 0;
let bursts = 0;

/** What rings now: the highest priority that is not silent, and its newest onset. */
function ringing(now) {
  const newest = {};
  let reminder = 0;
  for (const tile of document.querySelectorAll(".tile[data-rings]")) {
    for (const item of tile.dataset.rings.split(" ")) {
      const [priority, burst, paused] = item.split(":");
      if (priority === "remind") reminder = Math.max(reminder, Number(burst));
      else if (now >= Number(paused)) newest[priority] = Math.max(newest[priority] ?? 0, Number(burst));
    }
  }
  const priority = ORDER.find((each) => each in newest);
  return { priority, newest: newest[priority] ?? 0, reminder };
}

function pulse(at, form) {
  const volume = audio().createGain();
  const rise = form.pulse_s * plan.rise_share;
  volume.connect(audio().destination);
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(form.level, at + rise);
  volume.gain.setValueAtTime(form.level, at + form.pulse_s - rise);
  volume.gain.linearRampToValueAtTime(0, at + form.pulse_s);
  for (const harmonic of plan.harmonics) {
    const tone = audio().createOscillator();
    tone.frequency.value = form.f0_hz * harmonic;
    tone.connect(volume);
    tone.start(at);
    tone.stop(at + form.pulse_s);
  }
}

function burst(priority, most = Infinity, after = 0) {
  const form = plan[priority];
  root.dataset.bursts = String((bursts += 1));
  if (root.dataset.mode === "touch") navigator.vibrate?.(VIBRATE[priority] ?? 0);
  if (muted()) {
    audio().resume();
    return;
  }
  const from = audio().currentTime + 0.02 + after;
  for (const onset of form.onsets_s.slice(0, most)) pulse(from + onset, form);
}

/** Called four times a second; `live` is whether the page may be believed. */
export function tick(live) {
  if (!plan) return;
  check();
  const now = clock.now();
  const found = live ? ringing(now) : {};
  if (root.dataset.sounds !== (found.priority ?? "")) root.dataset.sounds = found.priority ?? "";
  if (found.reminder > reminded) {
    if (now - found.reminder < REMINDED_US && found.priority !== "high") burst("high", 3);
    reminded = found.reminder;
  }
  if (!found.priority) {
    rung = null;
    return;
  }
  const again = performance.now() - (rung?.at ?? -Infinity) >= plan[found.priority].every_s * 1000;
  const more = !rung || rung.priority !== found.priority || found.newest > rung.newest;
  if (!again && !more) return;
  rung = { priority: found.priority, newest: found.newest, at: performance.now() };
  burst(found.priority);
}

/** When the present shift began, by the page's own clock: the next check is due from then on. */
function shiftBegan() {
  const began = new Date();
  const hour = SHIFT_HOURS.findLast((each) => began.getHours() >= each);
  if (hour === undefined) began.setDate(began.getDate() - 1);
  began.setHours(hour ?? SHIFT_HOURS.at(-1), 0, 0, 0);
  return began.getTime();
}

/** The sign that nobody has heard the test tone since the shift began. */
function check() {
  const node = part("sound-check");
  if (!node || node.dataset.asked) return;
  let known = 0;
  try {
    known = Number(localStorage.getItem(CHECKED));
  } catch {
    known = 0; // no storage: asked anew with each page
  }
  node.hidden = muted() || known >= shiftBegan();
}

function pressed(event) {
  const node = event.target.closest?.("[data-part=sound-check], [data-act=tone]");
  if (!node) return;
  const sign = part("sound-check");
  if (node === sign && sign.dataset.asked) {
    delete sign.dataset.asked;
    sign.hidden = true;
    sign.textContent = say("sound.check");
    try {
      localStorage.setItem(CHECKED, String(Date.now()));
    } catch {
      return; // asked again with the next page
    }
    fetch(`/api/v1/icu/units/${encodeURIComponent(sign.dataset.unit)}/sound-check`, { method: "POST" });
    return;
  }
  audio().resume();
  ["high", "medium", "low"].forEach((priority, number) => burst(priority, 5, number * 2.5));
  if (sign) {
    sign.hidden = false;
    sign.dataset.asked = "yes";
    sign.textContent = say("sound.heard");
  }
}

/** Listen for the test tone. */
export function listen() {
  if (plan) document.addEventListener("click", pressed);
}
