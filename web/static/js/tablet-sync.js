// What the hospital has not confirmed is sent again until it has: the most urgent first, in pieces
// that a bad link carries in two seconds.

import * as model from "./tablet-model.js";
import * as store from "./tablet-store.js";

const FIRST = 12; // values that go at once: one of each code
const BATCH = 40;
const WAIT_MS = 8000;
const SLOWEST = 500; // bytes a second that a piece is given time for
const RETRY_MS = [500, 1000, 2000, 2500];
const LOOK_MS = 8000;
const PIECE = { least: 2048, most: 65536, seconds: 2 };

export const link = { state: "trying", since: Date.now(), offset: 0 };
let token = "";
let rate = 2048; // bytes a second, as measured
let failures = 0;
let wake = () => {};
let turn = 0;
let wasNewest = false;

export class Unsent extends Error {}

const news = () => model.changed.dispatchEvent(new Event("change"));
const state = (name) => {
  if (link.state === name) return;
  [link.state, link.since] = [name, Date.now()];
  news();
};

async function call(method, path, body, type = "application/json") {
  const size = body ? (body.length ?? body.byteLength) : 0;
  const limit = AbortSignal.timeout(WAIT_MS + (size / SLOWEST) * 1000);
  let answer;
  try {
    answer = await fetch(path, {
      method, body, signal: limit, cache: "no-store", credentials: "omit",
      headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": type } : {}) },
    });
    if ([408, 425, 429].includes(answer.status) || answer.status >= 500) throw new Unsent(answer.status);
    if (answer.status === 401) { // said to whatever was asked, also when nothing waits to be sent
      state("revoked");
      throw new Unsent("revoked");
    }
    const said = await answer.json().catch(() => ({}));
    return { status: answer.status, said };
  } catch (error) {
    throw error instanceof Unsent ? error : new Unsent(error.name);
  }
}

const json = (value) => JSON.stringify(value);
const at = (id) => `/api/v1/prearrivals/${id}`;

/** What to do about one case, by urgency; each answers a job or null. */
const PASSES = [
  (one) => (one.rev > one.sent ? { send: () => sendFacts(one) } : null),
  (one, own) => (wasNewest ? null : values(one, newestOf(own))),
  (one, own) => ecgJob(one, own, (ecg) => !ecg.sentPreview, sendPreview),
  (one, own) => things(one, own),
  (one, own) => steps(one, own),
  (one, own) => ecgJob(one, own, (ecg) => !ecg.sentCoarse, sendCoarse),
  (one, own) => (turn % 2 ? values(one, own.filter(waitingValue).slice(0, BATCH)) : null),
  (one, own) => ecgJob(one, own, () => true, sendPiece),
  (one, own) => values(one, own.filter(waitingValue).slice(0, BATCH)),
];
const NEWEST = PASSES[1];

const waitingValue = (item) => item.kind === "value" && !item.stored;

/** The newest value of each code that is still here. */
function newestOf(own) {
  const seen = new Set();
  return own.filter((item) => {
    if (item.kind !== "value" || seen.has(item.code)) return false;
    seen.add(item.code);
    return !item.stored;
  }).slice(0, FIRST);
}

const values = (one, chosen) => (chosen.length ? { send: () => sendValues(one, chosen) } : null);

const things = (one, own) => {
  const waiting = own.filter((item) => item.kind === "thing" && !item.stored);
  const ready = waiting.filter(({ what, said }) => what !== "withdrawal" || model.items.get(said.of)?.stored);
  return ready.length ? { send: () => sendThings(one, ready.slice(0, BATCH)) } : null;
};

function steps(one, own) {
  const step = own.findLast((item) => !item.stored && (["step", "read", "say", "monitor"].includes(item.kind) || (item.kind === "move" && movable(item))));
  return step ? { send: () => (step.kind === "move" ? sendMove(one, step) : sendStep(one, step)) } : null;
}

/** A move comes after what it moves, and after both cases are known. */
function movable(move) {
  const target = model.cases.get(move.to);
  const own = move.ids.length ? move.ids.map((id) => model.items.get(id)) : [...model.items.values()].filter(
    (item) => item.case === move.case && !model.TOLD.includes(item.kind));
  return target?.sent > 0 && own.every((item) => !item || item.stored);
}

const ecgJob = (one, own, wanted, send) => {
  const ecg = own.find((item) => item.kind === "ecg" && !item.stored && wanted(item));
  return ecg ? { send: () => send(one, ecg) } : null;
};

/** The next thing to send over all cases: first what is most urgent of any of them. */
function next() {
  const open = [...model.cases.values()].filter((one) => !one.lost).map((one) => [
    one, [...model.items.values()].filter((item) => item.case === one.id).sort((a, b) => (a.at < b.at ? 1 : -1)),
  ]);
  const red = ([one]) => (one.summary?.proposed === "red" ? 0 : 1);
  open.sort((a, b) => red(a) - red(b));
  turn += 1;
  for (const pass of PASSES) {
    for (const [one, own] of open) {
      if (pass !== PASSES[0] && !one.sent) continue; // first the case itself
      const job = pass(one, own);
      if (!job) continue;
      wasNewest = pass === NEWEST; // a monitor that never rests must not keep the rest waiting
      return job;
    }
  }
  wasNewest = false;
  return null;
}

async function sendFacts(one) {
  const rev = one.rev;
  const { status, said } = await call("PUT", at(one.id), json(one.facts));
  if (!accepted(one, status)) return;
  await model.update(one, { sent: rev, stored: said.stored_at ?? "", warnings: said.warnings ?? [] });
}

async function sendValues(one, chosen) {
  const events = chosen.map(({ id, code, value, unit, at: moment, mode }) => (
    { event_id: id, code, value, unit, determined_at: moment, mode }));
  const { status, said } = await call("POST", `${at(one.id)}/measurements`, json({ events }));
  if (!accepted(one, status)) return;
  const refused = new Set((said.rejected ?? []).map((each) => each.event_id));
  const stored = said.stored_at ?? new Date().toISOString();
  await model.updateAll(chosen.filter((item) => !refused.has(item.id)), { stored });
  await model.updateAll(chosen.filter((item) => refused.has(item.id)), { stored, refused: true });
}

async function sendThings(one, chosen) {
  const sent = chosen.map(({ id, what, said, at: moment }) => ({ item_id: id, kind: what, at: moment, ...said }));
  const { status, said } = await call("POST", `${at(one.id)}/items`, json({ items: sent }));
  if (!accepted(one, status)) return;
  const refused = new Set((said.rejected ?? []).map((each) => each.item_id));
  const stored = said.stored_at ?? new Date().toISOString();
  await model.updateAll(chosen.filter((item) => !refused.has(item.id)), { stored });
  await model.updateAll(chosen.filter((item) => refused.has(item.id)), { stored, refused: true });
}

async function sendStep(one, item) {
  const path = { read: `messages/${item.message}/read-back`, say: "messages", monitor: "monitor" }[item.kind] ?? item.step;
  const body = { at: item.at };
  if (item.kind === "say") Object.assign(body, { phrase: item.phrase, id: item.id });
  if (item.to) body.to = item.to;
  const { status, said } = await call("POST", `${at(one.id)}/${path}`, json(body));
  // A step that leads nowhere any more is refused; the case goes on.
  if (!accepted(one, status, [400, 409].includes(status) ? item : null)) return;
  await model.update(item, { stored: said.stored_at ?? item.at });
}

async function sendMove(one, item) {
  const body = json({ move_id: item.id, to: item.to, items: item.ids });
  const { status, said } = await call("POST", `${at(one.id)}/moves`, body);
  if (!accepted(one, status)) return;
  await model.update(item, { stored: said.stored_at ?? item.at });
}

const BYTES = "application/octet-stream";

async function sendPreview(one, ecg) {
  const { status } = await call("POST", `${at(one.id)}/ecgs?id=${ecg.id}&stage=preview`, ecg.preview);
  if (accepted(one, status)) await model.update(ecg, { sentPreview: true, reached: "preview" });
}

async function sendCoarse(one, ecg) {
  const bytes = await store.bytes(`${ecg.id}:coarse`);
  const { status } = await call("POST", `${at(one.id)}/ecgs?id=${ecg.id}&stage=coarse`, bytes, BYTES);
  if (accepted(one, status)) await model.update(ecg, { sentCoarse: true, reached: "coarse" });
}

/** One piece of an ECG's file: as much as the link carries in two seconds. */
async function sendPiece(one, ecg) {
  const file = await store.bytes(`${ecg.id}:file`);
  const [start, end] = ecg.gap[0];
  const size = Math.min(Math.max(PIECE.least, Math.round(rate * PIECE.seconds)), PIECE.most);
  const piece = file.slice(start, Math.min(end, start + size));
  const asked = `id=${ecg.id}&offset=${start}&total=${file.length}&sha256=${ecg.sha256}`;
  const began = performance.now();
  const { status, said } = await call("POST", `${at(one.id)}/ecgs?${asked}`, piece, BYTES);
  rate = 0.5 * rate + 0.5 * (piece.length / Math.max(0.05, (performance.now() - began) / 1000));
  if (!accepted(one, status, ecg)) return;
  const whole = said.complete ? { gap: [], stored: said.stored_at ?? new Date().toISOString() } : { gap: said.missing };
  await model.update(ecg, whole);
}

/** What a refusal means; true where the answer may be used. */
function accepted(one, status, item = null) {
  if (status < 300) return true;
  if (item) model.update(item, { stored: new Date().toISOString(), refused: true });
  else model.update(one, { lost: status }); // the hospital does not know this case as ours
  return false;
}

const ENDED = ["handed_over", "cancelled", "rerouted", "refused", "left_on_scene", "died"]; // and all was read back

/** Asks what the hospital says about the open cases. */
async function look() {
  for (const one of model.active().filter((each) => each.sent > 0 && !each.lost)) {
    const { status, said } = await call("GET", `${at(one.id)}/summary`);
    if (status !== 200) continue;
    link.offset = Date.parse(said.at) - Date.now();
    const ended = ENDED.includes(said.step) && !(said.messages ?? []).length ? said.at : "";
    const { at: _, ...rest } = said;
    if (json(rest) !== json(one.summary) || ended !== one.ended) await model.update(one, { summary: rest, ended });
  }
}

const pause = (ms) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  wake = () => { clearTimeout(timer); resolve(); };
});

/** Sends for as long as the page lives. */
export async function run(secret) {
  token = secret;
  let lookedAt = -Infinity;
  let due = false;
  for (;;) {
    try {
      const job = next();
      if (job) {
        await job.send();
        due = true;
        state("linked");
        failures = 0;
      }
      const quiet = performance.now() - lookedAt;
      if (quiet > LOOK_MS || (due && (!job || quiet > LOOK_MS / 2))) {
        await look();
        [lookedAt, due, failures] = [performance.now(), false, 0];
        state("linked");
      }
      if (!job && !next()) await pause(Math.max(500, LOOK_MS - (performance.now() - lookedAt)));
    } catch (error) {
      if (!(error instanceof Unsent)) throw error;
      if (link.state !== "revoked") state("away");
      failures += 1;
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] * (0.8 + 0.4 * Math.random()));
    }
  }
}

/** Who this device is to the hospital now: its destinations and its vehicle's monitor. */
export async function about() {
  const { status, said } = await call("GET", "/api/v1/crew");
  return status === 200 ? said : null;
}

/** A new token of this device, after it was paired again. */
export function use(secret) {
  token = secret;
  state("trying");
  wake();
}

/** Something new is here, or the network says it is back. */
export const now = () => wake();
addEventListener("online", () => wake());
document.addEventListener("visibilitychange", () => wake());
