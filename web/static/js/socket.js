// The board's socket: htmx's ws extension swaps the HTML, this file keeps it honest.
// It resumes at the revision on the page, reads beats, drops a silent socket and connects again.

import * as clock from "./clock.js";
import { swaps } from "./cell-swap.js";

const LEAST_MS = 500;
const MOST_MS = 8000;
const RETRIED_BY_EXTENSION = [1006, 1011, 1012, 1013];
const SIGNED_OUT = 1008;
const SILENT_MS = 3000; // an open socket that says nothing is a cut network
const OPENING_MS = 8000;

let api = null;
let socket = null;
let fresh = true; // the next beat is the first of its socket
let behind = null; // the revision a beat told while the page had an older one
let again = 0; // timer of a reconnect of our own
let heardAt = 0; // when the socket was made or last said something
export const state = { attempts: 0, signedOut: false };

const place = () => document.getElementById("board-rev").dataset;
export const revision = () => Number(place().rev);

function create(url) {
  const address = new URL(url);
  address.searchParams.set("rev", revision());
  fresh = true;
  behind = null;
  state.attempts += 1;
  heardAt = performance.now();
  socket = new WebSocket(address);
  return socket;
}

/** Full jitter between half a second and a ceiling that grows to eight seconds. */
export function delay(attempt) {
  const ceiling = Math.min(MOST_MS, 1000 * 2 ** Math.min(attempt, 3));
  return LEAST_MS + Math.random() * (ceiling - LEAST_MS);
}

/** Let the old socket go, without its goodbye starting a second way back. */
export function drop() {
  clearTimeout(again);
  again = 0;
  if (!socket) return;
  socket.onclose = socket.onerror = socket.onopen = null;
  socket.close();
}

/** Connect anew after `wait` milliseconds, unless that is already under way. */
export function reconnect(wait = delay(state.attempts)) {
  if (state.signedOut || again) return;
  drop();
  again = setTimeout(() => {
    again = 0;
    api.getInternalData(document.body).webSocket?.init();
  }, wait);
}

/** Give up a socket that stays silent or never opens; a closed one comes back by itself. */
export function unstick() {
  const silent = performance.now() - heardAt;
  const open = socket?.readyState === WebSocket.OPEN && silent >= SILENT_MS;
  const opening = socket?.readyState === WebSocket.CONNECTING && silent >= OPENING_MS;
  if (open || opening) reconnect();
}

/** Tell the server which revision is on the screen. */
export function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function heard(text, on) {
  heardAt = performance.now();
  const message = JSON.parse(text);
  if (message.type !== "beat") return;
  const told = message.server_time;
  clock.beat(typeof told === "number" ? told / 1000 : Date.parse(told), fresh);
  fresh = false;
  state.attempts = 0;
  // A revision that a beat told and that has not come by the next beat was lost on the way.
  if (behind !== null && revision() < behind) return reconnect(0);
  behind = message.rev > revision() ? message.rev : null;
  on.beat();
}

/** Whether a frame continues what is on the page; a snapshot (base -1) always does. */
function continues(html) {
  const base = /data-base="(-?\d+)"/.exec(html);
  return base !== null && (Number(base[1]) < 0 || Number(base[1]) === revision());
}

/** Join the socket to htmx; `on.beat` and `on.frame` are called for what arrives. */
export function open(on) {
  htmx.createWebSocket = create;
  htmx.config.wsReconnectDelay = delay;
  htmx.defineExtension("board", { ...swaps, init: (internal) => (api = internal) });
  const { body } = document;
  body.addEventListener("htmx:wsBeforeMessage", (event) => {
    const { message } = event.detail;
    if (typeof message === "string" && message.startsWith("<")) {
      if (continues(message)) return;
      event.preventDefault();
      const known = /data-rev="(\d+)"/.exec(message);
      if (!known || Number(known[1]) > revision()) reconnect(0); // something is missing between
      return;
    }
    event.preventDefault();
    if (typeof message === "string") heard(message, on);
  });
  body.addEventListener("htmx:wsAfterMessage", on.frame);
  body.addEventListener("htmx:wsClose", ({ detail }) => {
    const { code } = detail.event;
    if (code === SIGNED_OUT) state.signedOut = true;
    else if (!RETRIED_BY_EXTENSION.includes(code)) reconnect();
    on.closed();
  });
}
