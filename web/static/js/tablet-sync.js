// What the hospital has not confirmed is sent again until it has: the most urgent first, in pieces
// that a bad link carries in two seconds. The loop never ends: whatever happens, it is said in the
// header and what is left goes on.

import * as clock from "./tablet-clock.js";
import * as jobs from "./tablet-jobs.js";
import { call, fault, hurry, link, state, Unsent, use as bear, yieldTo } from "./tablet-link.js";
import * as model from "./tablet-model.js";
import * as store from "./tablet-store.js";

const RETRY_MS = [500, 1000, 2000, 2500];
const LOOK_MS = 8000;
const ABOUT_MS = 30_000;
const PIECE = { least: 2048, most: 65536, seconds: 2 };
const OWN_FAULT = [400, 409, 413, 422]; // of what was sent, not of who sent it
const BYTES = "application/octet-stream";
const AHEAD_MS = 60_000; // SAFETY rule 6: the hospital does not show what lies ahead of its clock

let failures = 0;
let wake = () => {};

const json = (value) => JSON.stringify(value);
const at = (id) => `/api/v1/prearrivals/${id}`;

/** The answer where it was accepted, null where `spoilt` has taken the refusal upon an item. */
function taken({ status, said }, spoilt = null) {
  if (status < 300) return said;
  if (!spoilt || !OWN_FAULT.includes(status)) throw new Unsent("refused", status);
  spoilt();
  return null;
}

/** An answer that does not say what it must is none. */
const need = (whole, status = 200) => { if (!whole) throw new Unsent("answer", status); };

const refuse = (...items) => model.updateAll(items, { stored: clock.iso(), refused: true });

async function sendFacts(one) {
  const rev = one.rev;
  const answer = await call("PUT", at(one.id), json(one.facts));
  const known = answer.said.current?.unit;
  if (answer.status === 409 && known && known !== one.facts.destination) {
    await model.settle(one.id, known); // stored before, and its answer lost: the choice is a reroute
    return;
  }
  const said = taken(answer);
  need(said.stored_at);
  await model.update(one, { sent: rev, stored: said.stored_at, warnings: said.warnings ?? [] });
}

/** What each of a batch has become; refused as a whole, they come one at a time. */
async function sendBatch(path, body, chosen, key) {
  for (const item of chosen) item.tried = true; // it may be there from now on, whatever is answered
  const spoilt = () => (chosen.length > 1 ? chosen.forEach((item) => { item.alone = true; }) : refuse(...chosen));
  const said = taken(await call("POST", path, json(body)), spoilt);
  if (!said) return;
  need(Array.isArray(said.stored));
  const [stored, refused] = [new Set(said.stored), new Set((said.rejected ?? []).map((each) => each[key]))];
  const done = chosen.filter((item) => stored.has(item.id) && !refused.has(item.id));
  const bad = chosen.filter((item) => refused.has(item.id));
  need(done.length + bad.length);
  const warned = new Set((said.warnings ?? []).map((each) => each.event_id));
  const moment = said.stored_at ?? clock.iso();
  const ahead = (item) => warned.has(item.id) && Date.parse(item.at) - Date.parse(moment) > AHEAD_MS;
  await model.updateAll(done.filter((item) => !ahead(item)), { stored: moment });
  await model.updateAll(done.filter(ahead), { stored: moment, ahead: true });
  await refuse(...bad);
}

function sendValues(one, chosen) {
  const events = chosen.map(({ id, code, value, unit, at: moment, mode }) => (
    { event_id: id, code, value, unit, determined_at: moment, mode }));
  return sendBatch(`${at(one.id)}/measurements`, { events }, chosen, "event_id");
}

function sendThings(one, chosen) {
  const items = chosen.map(({ id, what, said, at: moment }) => ({ item_id: id, kind: what, at: moment, ...said }));
  return sendBatch(`${at(one.id)}/items`, { items }, chosen, "item_id");
}

async function sendStep(one, [item]) {
  const path = { read: `messages/${item.message}/read-back`, say: "messages", monitor: "monitor" }[item.kind] ?? item.step;
  const body = { at: item.at };
  if (item.kind === "say") Object.assign(body, { phrase: item.phrase, id: item.id });
  if (item.to) body.to = item.to;
  // A step that leads nowhere any more is refused; the case goes on.
  const said = taken(await call("POST", `${at(one.id)}/${path}`, json(body)), () => refuse(item));
  if (said) await model.update(item, { stored: said.stored_at ?? item.at });
}

async function sendMove(one, [item]) {
  const body = json({ move_id: item.id, to: item.to, items: item.ids });
  const said = taken(await call("POST", `${at(one.id)}/moves`, body), () => model.unmove(item));
  if (said) await model.moved(item, said.stored_at ?? item.at);
}

async function sendPreview(one, [ecg]) {
  ecg.tried = true;
  const skip = () => model.update(ecg, { sentPreview: true }); // the whole goes all the same
  const said = taken(await call("POST", `${at(one.id)}/ecgs?id=${ecg.id}&stage=preview`, ecg.preview, { yields: true }), skip);
  if (said) await model.update(ecg, { sentPreview: true, reached: "preview" });
}

async function sendCoarse(one, [ecg]) {
  const skip = () => model.update(ecg, { sentCoarse: true });
  ecg.tried = true;
  const bytes = await store.bytes(`${ecg.id}:coarse`);
  if (!bytes) return skip();
  const said = taken(await call("POST", `${at(one.id)}/ecgs?id=${ecg.id}&stage=coarse`, bytes, { type: BYTES, yields: true }), skip);
  if (said) await model.update(ecg, { sentCoarse: true, reached: "coarse" });
}

/** One piece of an ECG's file: as much as the link carries in two seconds. */
async function sendPiece(one, [ecg]) {
  const file = await store.bytes(`${ecg.id}:file`);
  if (!file) return refuse(ecg); // it could not be stored here
  ecg.tried = true;
  const [start, end] = ecg.gap[0] ?? [0, file.length];
  const size = Math.min(Math.max(PIECE.least, Math.round(link.rate * PIECE.seconds)), PIECE.most);
  const piece = file.slice(start, Math.min(end, start + size));
  const asked = `id=${ecg.id}&offset=${start}&total=${file.length}&sha256=${ecg.sha256}`;
  const said = taken(await call("POST", `${at(one.id)}/ecgs?${asked}`, piece, { type: BYTES, yields: true }), () => refuse(ecg));
  if (!said) return;
  need(said.complete || Array.isArray(said.missing));
  await model.update(ecg, said.complete ? { gap: [], stored: said.stored_at ?? clock.iso() } : { gap: said.missing });
}

const SENDS = { facts: sendFacts, values: sendValues, things: sendThings, step: sendStep, move: sendMove,
  preview: sendPreview, coarse: sendCoarse, piece: sendPiece };

const ENDED = ["handed_over", "cancelled", "rerouted", "refused", "left_on_scene", "died", "discharged", "left_unseen", "died_here"];

async function lookAt(one) {
  const asked = Date.now();
  const said = taken(await call("GET", `${at(one.id)}/summary`));
  need(said.step && said.at);
  clock.heard(Date.parse(said.at), asked, Date.now());
  const ended = ENDED.includes(said.step) && !(said.messages ?? []).length ? said.at : ""; // and all was read back
  const { at: _, ...rest } = said;
  if (json(rest) !== json(one.summary) || ended !== one.ended) await model.update(one, { summary: rest, ended });
}

let askedAt = -Infinity;

/** Asks what the hospital says about the open cases; without one, now and then whether it is there. */
async function look() {
  const open = model.active().filter((one) => one.sent > 0);
  for (const one of open) await attempt({ key: `${one.id}:look`, one, send: () => lookAt(one) });
  if (open.length || performance.now() - askedAt < ABOUT_MS) return;
  await attempt({ key: "about", send: about });
  askedAt = performance.now();
}

/** One job. What is its own failure lets it rest; only where the link itself failed it throws. */
async function attempt(job) {
  if (jobs.resting(job.key)) return;
  try {
    await model.restamp();
    await (job.items ? SENDS[job.send](job.one, job.items) : job.send());
    jobs.rested(job);
    if (link.state !== "linked") jobs.awake();
    failures = 0;
    state("linked");
    fault(null);
  } catch (error) {
    if (error.yielded) return;
    if (error instanceof Unsent && !error.status) throw error;
    if (!(error instanceof Unsent)) fault(error);
    else if (error.status >= 500 && performance.now() - link.heardAt > LOOK_MS) state("away");
    jobs.rest(job, error.status ?? 0);
    model.changed.dispatchEvent(new Event("change"));
  }
}

const pause = (ms) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  wake = () => { clearTimeout(timer); resolve(); };
});

let lookedAt = -Infinity;
let due = false;

async function once() {
  const job = jobs.next();
  if (job) {
    await attempt(job);
    due = true;
  }
  const quiet = performance.now() - lookedAt;
  if (quiet > LOOK_MS || (due && (!job || quiet > LOOK_MS / 2))) {
    await look();
    [lookedAt, due] = [performance.now(), false];
  }
  if (job || jobs.next()) return;
  const left = LOOK_MS - (performance.now() - lookedAt);
  await pause(Math.max(500, Math.min(left, jobs.nextWake())));
}

/** Sends for as long as the page lives. */
export async function run(secret) {
  bear(secret);
  yieldTo(jobs.urgent);
  for (;;) {
    try {
      await once();
    } catch (error) {
      if (!(error instanceof Unsent)) fault(error);
      else if (link.state !== "revoked") state("away");
      failures += 1;
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] * (0.8 + 0.4 * Math.random()));
    }
  }
}

/** Who this device is to the hospital now: its destinations and its vehicle's monitor. */
export async function about() {
  const said = taken(await call("GET", "/api/v1/crew"));
  need(Array.isArray(said.destinations));
  return said;
}

/** A new token of this device, after it was paired again. */
export function use(secret) {
  bear(secret);
  jobs.awake();
  state("trying");
  wake();
}

/** Something new is here, or the network says it is back. */
export function now(anew = false) {
  hurry(anew === true);
  wake();
}
addEventListener("online", () => now(true));
document.addEventListener("visibilitychange", () => now());
