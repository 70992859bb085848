// The way to the hospital: one request at a time, how fast it is, and what is known of the link.

import * as clock from "./tablet-clock.js";
import { changed } from "./tablet-model.js";

const WAIT_MS = 8000; // a new connection over a bad link
const PIECE_MS = 6000;
const PATIENCE_MS = 3000; // so long an ECG's piece may stand before a value that waits
const SILENT_MS = 5000;
const SLOWEST = 500; // bytes a second
const TIMES = 3; // as long as measured: a link's rate is never even

export const link = { state: "trying", since: Date.now(), heardAt: -Infinity, fault: "", rate: 2048 };
let token = "";
let flight = null;
let urgent = () => false;

/** Not accepted; `status` where somebody answered: then it was this request, not the link. */
export class Unsent extends Error {
  constructor(why, status = 0) {
    super(why);
    this.status = status;
  }
}

const news = () => changed.dispatchEvent(new Event("change"));

export function state(name) {
  if (name === "linked") link.heardAt = performance.now();
  if (link.state === name) return;
  [link.state, link.since] = [name, Date.now()];
  news();
}

/** Something of this tablet failed: said in words, and the sending goes on. */
export function fault(error) {
  const said = error ? String(error.name ?? "Error") : "";
  if (error) console.error("tablet:", said); // its name only: a message may hold what was typed
  if (said === link.fault) return;
  link.fault = said;
  news();
}

export const use = (secret) => { token = secret; };
/** Tells what of the cases must not wait behind a piece of an ECG. */
export const yieldTo = (asked) => { urgent = asked; };

/** Since how many seconds an answer is awaited, where that is long. */
export function silent() {
  const ms = flight ? performance.now() - flight.began : 0;
  return ms > SILENT_MS ? Math.round(ms / 1000) : 0;
}

/** A piece that stands gives way to what is urgent; whatever stands, to a network that is new. */
export function hurry(anew = false) {
  if (!flight || performance.now() - flight.began <= flight.patience) return;
  if (anew || (flight.yields && urgent())) flight.abort("yielded");
}

/** What the link carried, or did not: the next piece is as large as fits. */
function measured(size, ms, whole) {
  const seen = whole ? size / Math.max(0.05, ms / 1000) : link.rate / 4;
  link.rate = Math.max(SLOWEST, 0.5 * link.rate + 0.5 * seen);
}

/** One request. Where nobody of the house answered whole, it is Unsent. */
export async function call(method, path, body, { type = "application/json", yields = false } = {}) {
  const size = body ? (body.length ?? body.byteLength) : 0;
  const control = new AbortController();
  const began = performance.now();
  const asked = Date.now();
  const fair = (1000 * size) / link.rate;
  const own = { began, yields, why: "", patience: Math.max(PATIENCE_MS, 1.5 * fair),
    abort: (why) => { own.why ||= why; control.abort(); } };
  const timers = [setTimeout(() => own.abort("late"), (yields ? PIECE_MS : WAIT_MS) + TIMES * fair),
    setTimeout(hurry, own.patience + 1)];
  flight = own;
  try {
    const answer = await fetch(path, {
      method, body, signal: control.signal, cache: "no-store", credentials: "omit",
      headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": type } : {}) },
    });
    const said = read(await answer.text());
    if (yields) measured(size, performance.now() - began, true);
    checked(answer.status, said);
    clock.heard(Date.parse(answer.headers.get("Date") ?? ""), asked, Date.now());
    return { status: answer.status, said };
  } catch (error) {
    if (error instanceof Unsent) throw error;
    if (yields) measured(size, 0, false);
    throw Object.assign(new Unsent(own.why || error.name), { yielded: own.why === "yielded" });
  } finally {
    timers.forEach(clearTimeout);
    if (flight === own) flight = null;
  }
}

function read(text) {
  try {
    const said = JSON.parse(text);
    return said && typeof said === "object" && !Array.isArray(said) ? said : null;
  } catch {
    return null; // cut by the link, or the page of somebody between us
  }
}

function checked(status, said) {
  if ([408, 425, 429].includes(status) || status >= 500) throw new Unsent("busy", status);
  if (status < 300 && !said) throw new Unsent("cut");
  if (status >= 300 && typeof said?.error !== "string") throw new Unsent("foreign", status);
  if (status !== 401) return;
  state("revoked"); // said to whatever was asked, also when nothing waits to be sent
  throw new Unsent("revoked");
}
