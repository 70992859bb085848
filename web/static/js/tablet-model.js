// The cases on this device and all that was entered for them. What is said is on disk first.

import * as clock from "./tablet-clock.js";
import * as store from "./tablet-store.js";

const WIPE_MS = 24 * 3600 * 1000;
const CODES = ["ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT", "GOLF", "HOTEL", "KILO", "LIMA", "MIKE", "TANGO"];

export const cases = new Map();
export const items = new Map();
export const changed = new EventTarget();
let mode = "Real";
let crew = "";
let destination = "";
let vehicle = null; // the monitor of this vehicle, where there is one
let spoken = false; // whether a monitor says its values on this device

const news = () => changed.dispatchEvent(new Event("change"));

/** UUID version 7 (RFC 9562): the time first, then chance. */
export function uuid7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let ms = Date.now();
  for (let i = 5; i >= 0; i -= 1, ms = Math.floor(ms / 256)) bytes[i] = ms % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Who this device is; what it sends carries its mode. */
export function become(about) {
  [mode, crew, vehicle] = [about.mode, about.crew, about.monitor ?? null];
  destination ||= about.destination;
}

export async function load() {
  cases.clear();
  items.clear();
  for (const record of await store.all()) (record.type === "case" ? cases : items).set(record.id, record);
  for (const one of items.values()) if (one.kind === "ecg" && !Array.isArray(one.gap)) one.gap = [[0, one.size]]; // of an earlier version
  await wipe();
  news();
}

const unsaved = new Set();
let writing = Promise.resolve();
export const disk = { fault: "" };

/** Written one after the other; what the device cannot store now is tried again with the next. */
function save(...records) {
  for (const record of records) unsaved.add(record);
  writing = writing.then(flush);
  return writing;
}

async function flush() {
  const due = [...unsaved].filter(({ id }) => cases.has(id) || items.has(id));
  unsaved.clear();
  try {
    if (due.length) await store.keep(...due);
    disk.fault = "";
  } catch (error) {
    for (const record of due) unsaved.add(record);
    disk.fault = String(error?.name ?? "Error"); // said in the header; it is sent all the same
  }
  news();
}

export async function openCase() {
  const chance = crypto.getRandomValues(new Uint8Array(2));
  const word = `${CODES[chance[0] % CODES.length]}-${10 + (chance[1] % 90)}`;
  const facts = { destination, crew, code_word: word, sex: "unknown", notify: "information" };
  const one = { id: uuid7(), type: "case", opened: clock.iso(), facts, rev: 1, sent: 0, stored: "", summary: null, ended: "" };
  const alone = active().length === 0;
  cases.set(one.id, one);
  await save(one);
  if (hasMonitor() && alone) await attach(one.id); // with two patients on board the crew says whose it is
  return one.id;
}

/** Where the next case goes; of a case that the hospital knows already this is a reroute. */
export async function bringTo(id, unit) {
  const one = cases.get(id);
  if (!one.sent) destination = unit; // one of our own; a new case begins nowhere else
  if (one.sent) await add(newItem(id, "step", { step: "reroute", to: unit }));
  else await say(id, { destination: unit });
}

/** The vehicle's monitor measures this patient from now on, and nobody else. */
export const attach = (of) => add(newItem(of, "monitor", {}));
/** The open case that the monitor was put to last, or null. */
export function monitored() {
  const last = [...items.values()].filter((item) => item.kind === "monitor").sort((a, b) => (a.at < b.at ? 1 : -1))[0];
  let one = cases.get(last?.case);
  while (one?.joined) one = cases.get(one.joined);
  return one && !one.ended ? one.id : null;
}
export const hasMonitor = () => Boolean(vehicle) || spoken;

/** A monitor says its values on this device. */
export function monitorSpoke() {
  if (spoken) return;
  spoken = true;
  news();
}

/** A preset phrase to the department, which reads it back. */
export const tellHospital = (of, phrase) => add(newItem(of, "say", { phrase }));

/** The hospital knows a case at another unit than was chosen since: the choice is a reroute. */
export async function settle(id, unit) {
  const one = cases.get(id);
  const wanted = one.facts.destination;
  await say(id, { destination: unit });
  const last = of(id).find((item) => item.kind === "step" && item.step === "reroute");
  if (last?.to !== wanted) await add(newItem(id, "step", { step: "reroute", to: wanted }));
}

/** Changes facts; undefined takes one away. */
export async function say(id, facts) {
  const one = cases.get(id);
  one.facts = { ...one.facts, ...facts };
  one.rev += 1;
  await save(one);
}

// What is said about a case and belongs to no patient: it is not moved.
export const TOLD = ["step", "move", "read", "say", "monitor"];
// `rough`: stamped before the hospital's clock was known.
const newItem = (of, kind, rest) => ({
  id: uuid7(), type: "item", case: of, kind, at: clock.iso(), stored: "", ...(clock.clock.known || rest.at ? {} : { rough: true }), ...rest });

/** What was stamped by this tablet's own clock is put right once the hospital's is known. */
export async function restamp() {
  if (!clock.clock.known) return;
  const rough = [...items.values()].filter((item) => item.rough && !item.stored);
  for (const item of rough) {
    item.at = new Date(Date.parse(item.at) + clock.shift()).toISOString();
    delete item.rough;
  }
  if (clock.shift() && rough.length) await save(...rough);
}

async function add(...added) {
  for (const item of added) items.set(item.id, item);
  await save(...added);
}

/** Values `[{code, value, unit, at?, from?}]` of one moment. */
export const addValues = (of, values) =>
  add(...values.map(({ at, ...value }) => newItem(of, "value", { ...value, mode, ...(at ? { at } : {}) })));

/** A treatment, limit or note. */
export const addThing = (of, what, said) => add(newItem(of, "thing", { what, said }));
/** The crew has read what the department said, and says so. */
export const readBack = (of, message) => add(newItem(of, "read", { message }));
export const isRead = (message) => [...items.values()].some((item) => item.kind === "read" && item.message === message);
export const addStep = (of, step) => add(newItem(of, "step", { step }));

/** Something was a mistake: it is taken back at the hospital, too. */
export async function withdraw(id) {
  const item = items.get(id);
  item.withdrawn = true;
  const back = newItem(item.shownAt ?? item.case, "thing", { what: "withdrawal", said: { of: id } });
  items.set(back.id, back);
  await save(item, back);
}

/** An ECG with its file; `stages` are what the hospital gets before the whole. */
export async function addEcg(of, made) {
  const item = newItem(of, "ecg", { name: made.name, picture: made.picture, size: made.whole.length,
    sha256: made.sha256, gap: [[0, made.whole.length]], preview: made.preview, sentPreview: !made.preview,
    coarse: Boolean(made.coarse), sentCoarse: !made.coarse });
  await store.keep({ id: `${item.id}:file`, bytes: made.whole });
  if (made.coarse) await store.keep({ id: `${item.id}:coarse`, bytes: made.coarse });
  await add(item);
}

/** Items go to another case; an empty list joins the whole case to it. */
export async function move(from, to, ids) {
  const moved = ids.length ? ids.map((id) => items.get(id)) : [...items.values()].filter((one) => one.case === from);
  // What has never left the device simply belongs to the other case; the rest is moved there as well.
  const left = (item) => item.stored || item.tried;
  const told = newItem(from, "move", { to, ids: ids.filter((id) => left(items.get(id))) });
  const changes = moved.filter((one) => !TOLD.includes(one.kind));
  const show = (one) => { [one.cameFrom, one.shownAt, one.movedAt] = [one.shownAt, to, undefined]; };
  if (ids.length) {
    for (const one of changes.filter((item) => !left(item))) one.case = to;
    changes.filter(left).forEach(show);
  } else {
    changes.forEach(show);
    cases.get(from).joined = to;
    await save(cases.get(from));
  }
  if (!ids.length || told.ids.length) items.set(told.id, told);
  await save(...changes, ...(items.has(told.id) ? [told] : []));
}

const movedBy = (told) => [...items.values()].filter((item) => !TOLD.includes(item.kind) && item.id !== told.id &&
  (told.ids.length ? told.ids.includes(item.id) : item.case === told.case) && item.shownAt === told.to);

/** The hospital has moved them: who looked before then has not seen them there. */
export async function moved(told, at) {
  const changes = movedBy(told);
  for (const item of changes) item.movedAt = at;
  told.stored = at;
  await save(told, ...changes);
}

/** The hospital does not move them: they are shown where they are. */
export async function unmove(told) {
  const changes = movedBy(told);
  for (const item of changes) item.shownAt = item.cameFrom;
  // What takes one of them back goes to where it is.
  const backs = [...items.values()].filter((item) => item.what === "withdrawal" && !item.stored && changes.some(({ id }) => id === item.said.of));
  for (const back of backs) back.case = items.get(back.said.of).shownAt ?? items.get(back.said.of).case;
  if (!told.ids.length) cases.get(told.case).joined = "";
  Object.assign(told, { stored: clock.iso(), refused: true });
  await save(told, cases.get(told.case), ...changes, ...backs);
}

/** What belongs to a case now, newest first. */
export function of(id) {
  const found = [...items.values()].filter((one) => (one.shownAt ?? one.case) === id);
  return found.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.id < b.id ? 1 : -1));
}

/** The newest value of each code. */
export function newest(id) {
  const found = new Map();
  for (const one of of(id)) {
    if (one.kind === "value" && !one.withdrawn && !found.has(one.code)) found.set(one.code, one);
  }
  // What the vehicle's monitor has told the hospital by a way of its own.
  for (const [code, [value, at]] of Object.entries(cases.get(id)?.summary?.monitor ?? {})) {
    if (!(found.get(code)?.at >= at)) found.set(code, { id: `${id}:${code}`, case: id, kind: "value", code, value, at, stored: at, from: "monitor" });
  }
  return found;
}

/** here, refused, clock (kept, not shown), hospital or seen: where an item is. */
export function stateOf(item) {
  if (!item.stored) return "here";
  if (item.refused) return "refused";
  if (item.ahead) return "clock";
  if (item.shownAt && item.shownAt !== item.case && !item.movedAt) return "hospital";
  const summary = cases.get(item.shownAt ?? item.case)?.summary;
  const there = item.movedAt > item.stored ? item.movedAt : item.stored;
  return summary?.seen && there <= summary.seen.upto ? "seen" : "hospital";
}

export async function update(record, change) {
  Object.assign(record, change);
  await save(record);
}

export async function updateAll(records, change) {
  for (const record of records) Object.assign(record, change);
  if (records.length) await save(...records);
}

export const active = () => [...cases.values()].filter((one) => !one.ended && !one.joined);

/** Cases of which the hospital has everything for a day leave the device. */
export async function wipe() {
  for (const one of [...cases.values()]) {
    const own = [...items.values()].filter((item) => item.case === one.id || item.shownAt === one.id);
    const open = one.rev > one.sent || own.some((item) => !item.stored);
    const last = Math.max(Date.parse(one.stored || one.opened), ...own.map((item) => Date.parse(item.stored || item.at)));
    if (open || Date.now() - last < WIPE_MS) continue;
    await store.forget(one.id, ...own.flatMap((item) => [item.id, `${item.id}:file`, `${item.id}:coarse`]));
    for (const item of own) items.delete(item.id);
    cases.delete(one.id);
  }
}
