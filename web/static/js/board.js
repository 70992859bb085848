// A board in the browser. The server renders; this keeps time, tells the server what was painted,
// and says NOT LIVE by a timer of its own that needs neither the socket nor htmx.

import { paint } from "./ages.js";
import * as alarmSound from "./alarm-sound.js";
import * as badge from "./badge.js";
import * as clock from "./clock.js";
import * as cover from "./cover.js";
import * as keys from "./keys.js";
import * as seen from "./seen.js";
import * as socket from "./socket.js";
import * as sound from "./sound.js";
import { duration, say } from "./words.js";

const PAINTED_MS = 1000;
const STATUS_MS = 5000;
const PATH_US = 10e6; // SAFETY rule 9: the probe comes every two seconds
const SHIFT_MS = 600_000;
const root = document.documentElement;
const place = () => document.getElementById("board-rev").dataset;
const part = (name) => document.querySelector(`[data-part=${name}]`);

let ticker = null;
let paintedAt = -Infinity;
let waiting = false;
let reds = new Set();
let statusAt = -Infinity;

/** New reds flash together: every flash starts at the same moment of the page's time. */
function inStep() {
  for (const animation of document.getAnimations()) {
    if (animation.animationName?.startsWith("flash") && animation.startTime !== 0) animation.startTime = 0;
  }
}

/** Whether the queue tells of a storm is said of the wall: the tiles look there. */
function storm() {
  const told = document.getElementById("queue")?.dataset.storm !== undefined;
  document.querySelector(".wall")?.toggleAttribute("data-storm", told);
}

function redTiles() {
  return new Set([...document.querySelectorAll(".tile[data-alarm=high], .in[data-t=red]")].map((node) => node.id));
}

/** Say which revision is on the screen: at most once a second, at once for a new red. */
function confirm(urgent) {
  if (document.hidden) return; // what nobody can see was not painted
  const wait = urgent ? 0 : paintedAt + PAINTED_MS - performance.now();
  if (wait > 0) {
    if (!waiting) setTimeout(() => confirm(true), wait);
    waiting = true;
    return;
  }
  waiting = false;
  paintedAt = performance.now();
  requestAnimationFrame(() => socket.send({ type: "painted", rev: socket.revision() }));
}

function summary() {
  if (performance.now() - statusAt < STATUS_MS) return;
  const names = (look) =>
    [...document.querySelectorAll(`.tile[data-alarm=${look}] h2`)].map((node) => node.textContent).join(", ");
  const [red, medium] = [names("high"), names("medium")];
  const count = (list) => list.split(", ").length;
  const words = red
    ? say("status.red", { n: count(red), beds: red })
    : medium
      ? say("status.medium", { n: count(medium), beds: medium })
      : say("status.quiet");
  const node = part("status");
  if (node.textContent === words) return;
  node.textContent = words;
  statusAt = performance.now();
}

/** The probe that passes from a device to this board has not come for too long. */
function path() {
  const short = place().house?.split(" ").includes("stream_memory");
  part("house").hidden = !short;
  if (short) part("house").textContent = say("bar.stream_memory");
  const probe = Number(place().probe);
  const late = probe > 0 && clock.now() - probe >= PATH_US;
  part("path").hidden = !(late && cover.live());
  if (late) part("path").textContent = say("bar.path", { age: duration(clock.now() - probe) });
}

/** A red patient of whom nobody has heard rings; not while the page itself is not to be believed. */
function call() {
  const band = document.getElementById("call");
  if (band && !band.hidden && cover.live()) sound.ring();
  else sound.hush();
}

function tick() {
  if (!cover.heard() && started()) lost();
  paint(root.dataset.link !== "lost");
  cover.show();
  path();
  call();
  alarmSound.tick(cover.live());
  if (document.body.dataset.kind === "icu") summary();
}

const began = performance.now();
const started = () => clock.lastBeat() !== null || performance.now() - began > 3000;

function lost() {
  cover.lose();
  if (!document.hidden) socket.unstick();
}

let swapped = false;

/** What the frames of one picture have changed: several come together, and are looked at once. */
function shown() {
  swapped = false;
  paint(root.dataset.link !== "lost");
  storm();
  inStep();
  const now = redTiles();
  const urgent = [...now].some((id) => !reds.has(id));
  reds = now;
  confirm(urgent);
}

const on = {
  beat() {
    ticker?.postMessage("beat");
    if (!cover.heard()) return; // a beat that was held up on the way is no life
    paint(true); // values first, then the sign goes
    if (!cover.live()) cover.regain();
    confirm(false);
  },
  frame() {
    if (!swapped) requestAnimationFrame(shown);
    swapped = true;
  },
  closed: () => cover.show(),
};

/** A page that was hidden is not believed: it says so at once and asks for the present. */
function looked() {
  cover.lose();
  if (document.hidden) socket.drop();
  else socket.reconnect(0);
}

function work() {
  try {
    ticker = new Worker("/static/js/ticker.js");
    ticker.onmessage = ({ data }) => (data === "lost" ? lost() : tick());
    ticker.onerror = () => setInterval(tick, 250);
  } catch {
    setInterval(tick, 250); // no worker here: the page's own timer still counts while it is seen
  }
}

clock.start(Number(place().now));
root.dataset.link = "waiting";
socket.open(on);
badge.listen(); // first: a reader's keys are no shortcuts
keys.listen();
seen.listen();
sound.watch();
alarmSound.listen();
work();
reds = redTiles();
inStep();
document.addEventListener("visibilitychange", looked);
addEventListener("pageshow", (event) => event.persisted && location.reload());
if (root.dataset.mode === "wall") {
  let shift = 0;
  setInterval(() => (root.dataset.shift = shift = (shift + 1) % 4), SHIFT_MS);
}
