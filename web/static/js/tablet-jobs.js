// What to send next: over all cases the most urgent first; what failed rests, the others go on.

import * as model from "./tablet-model.js";

const FIRST = 12; // values that go at once: one of each code
const BATCH = 40;
const BUSY_MS = [500, 1000, 2000, 2500];
const REFUSED_MS = [2000, 5000, 15_000, 60_000];

let turn = 0;
let wasNewest = false;
const asleep = new Map(); // of a job's key: until when it rests, and how often it failed
const refusals = new Map(); // of a case: the status with which the hospital does not take it

/** This job failed with a status (0: by a fault of ours): it comes again, later each time. */
export function rest({ key, one }, status) {
  const fails = (asleep.get(key)?.fails ?? 0) + 1;
  const waits = status >= 500 || status === 429 ? BUSY_MS : REFUSED_MS;
  asleep.set(key, { fails, until: performance.now() + waits[Math.min(fails, waits.length) - 1] });
  if (one && status >= 300 && status < 500) refusals.set(one.id, status);
}

/** It was accepted. */
export function rested({ key, one }) {
  asleep.delete(key);
  if (one && ![...asleep.keys()].some((other) => other.startsWith(one.id))) refusals.delete(one.id);
}

/** The link is back: nothing rests any more. */
export const awake = () => asleep.clear();
export const resting = (key) => (asleep.get(key)?.until ?? 0) > performance.now();
/** When the next of them wakes, ms from now. */
export const nextWake = () => Math.min(...[...asleep.values()].map(({ until }) => until - performance.now()).filter((ms) => ms > 0), Infinity);
/** The status with which the hospital refuses a case; undefined: it takes it. */
export const refusal = (id) => refusals.get(id);

const waitingValue = (item) => item.kind === "value" && !item.stored;
const TELLS = ["step", "read", "say", "monitor"];

/** The newest value of each code that is still here. */
function newestOf(own) {
  const seen = new Set();
  return own.filter((item) => {
    if (item.kind !== "value" || seen.has(item.code)) return false;
    seen.add(item.code);
    return !item.stored;
  }).slice(0, FIRST);
}

/** After a batch was refused, one at a time: one bad item keeps no other back. */
function some(chosen) {
  const doubtful = chosen.find(({ alone }) => alone);
  return doubtful ? [doubtful] : chosen;
}

const job = (one, kind, send, items) => (items.length ? { key: `${one.id}:${kind}`, one, send, items } : null);
const values = (one, chosen) => job(one, "values", "values", some(chosen));

function things(one, own) {
  const waiting = own.filter((item) => item.kind === "thing" && !item.stored && !(item.what === "withdrawal" && early(item)));
  return job(one, "things", "things", some(waiting.slice(0, BATCH)));
}

/** A withdrawal comes after what it takes back, and after its move to where it is taken back. */
function early({ said, case: there }) {
  const target = model.items.get(said.of);
  if (!target?.stored) return true;
  return target.case !== there && [...model.items.values()].some((item) => item.kind === "move" && !item.stored && (item.ids.includes(said.of) || (!item.ids.length && item.case === target.case)));
}

function steps(one, own) {
  const step = own.findLast((item) => !item.stored && (TELLS.includes(item.kind) || (item.kind === "move" && movable(item))));
  return job(one, "steps", step?.kind === "move" ? "move" : "step", step ? [step] : []);
}

/** A move comes after what it moves, and after both cases are known. */
function movable(move) {
  const target = model.cases.get(move.to);
  const own = move.ids.length ? move.ids.map((id) => model.items.get(id)) : [...model.items.values()].filter(
    (item) => item.case === move.case && !model.TOLD.includes(item.kind));
  return target?.sent > 0 && own.every((item) => !item || item.stored);
}

function ecg(one, own, wanted, send) {
  const found = own.find((item) => item.kind === "ecg" && !item.stored && wanted(item) && !resting(`${one.id}:${item.id}`));
  return job(one, found?.id, send, found ? [found] : []);
}

/** What to do about one case, by urgency; each answers a job or null. */
const PASSES = [
  (one) => (one.rev > one.sent ? { key: `${one.id}:facts`, one, send: "facts", items: [] } : null),
  (one, own) => (wasNewest ? null : values(one, newestOf(own))),
  (one, own) => ecg(one, own, (item) => !item.sentPreview, "preview"),
  things,
  steps,
  (one, own) => ecg(one, own, (item) => !item.sentCoarse, "coarse"),
  (one, own) => (turn % 2 ? values(one, own.filter(waitingValue).slice(0, BATCH)) : null),
  (one, own) => ecg(one, own, () => true, "piece"),
  (one, own) => values(one, own.filter(waitingValue).slice(0, BATCH)),
];
const NEWEST = PASSES[1];
const PIECES = ["preview", "coarse", "piece"];

/** The first job over all cases, red ones first. */
function first() {
  const all = [...model.items.values()].sort((a, b) => (a.at < b.at ? 1 : -1));
  const open = [...model.cases.values()].map((one) => [one, all.filter((item) => item.case === one.id)]);
  const red = ([one]) => (one.summary?.proposed === "red" ? 0 : 1);
  open.sort((a, b) => red(a) - red(b));
  for (const pass of PASSES) {
    for (const [one, own] of open) {
      if (pass !== PASSES[0] && !one.sent) continue; // first the case itself
      const found = pass(one, own);
      if (found && !resting(found.key)) return [found, pass];
    }
  }
  return [null, null];
}

/** The next thing to send, or null. */
export function next() {
  turn += 1;
  const [found, pass] = first();
  wasNewest = pass === NEWEST; // a monitor that never rests must not keep the rest waiting
  return found;
}

/** Whether something waits that is no part of an ECG. */
export function urgent() {
  const [found] = first();
  return found !== null && !PIECES.includes(found.send);
}
