// A badge at a wall: a reader types its number and Enter faster than any hand. Then one tap on a
// bed takes on what rings there, by name. Nothing of the number stays here.

import { say } from "./words.js";

const NEXT_MS = 120; // a reader types quicker than this; a hand does not, for so many keys
const LEAST = 4;
const MOST = 40;
const SAID_MS = 6000;
let typed = "";
let last = 0;
let reader = null; // { name, until }
let hide = 0;

const part = () => document.querySelector("[data-part=badge]");
const isWall = () => document.documentElement.dataset.mode === "wall";

function tell(words, ms = SAID_MS) {
  const node = part();
  if (!node) return;
  node.textContent = words;
  node.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => {
    node.hidden = true;
    reader = null;
  }, ms);
}

async function read(number) {
  const unit = encodeURIComponent(part().dataset.unit);
  const answer = await fetch(`/api/v1/icu/units/${unit}/badge`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ badge: number }),
  }).catch(() => null);
  if (!answer?.ok) {
    reader = null;
    tell(say(answer === null || answer.status >= 500 ? "badge.away" : answer.status === 429 ? "badge.wait" : "badge.unknown"));
    return;
  }
  const { name, seconds } = await answer.json();
  reader = { name, until: performance.now() + seconds * 1000 };
  tell(say("badge.tap", { name }), seconds * 1000);
}

function pressed(event) {
  if (!isWall() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select")) return;
  const now = performance.now();
  if (now - last > NEXT_MS) typed = "";
  last = now;
  if (event.key === "Enter" && typed.length >= LEAST) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const number = typed;
    typed = "";
    read(number);
  } else if (/^[0-9A-Za-z]$/.test(event.key)) {
    typed = (typed + event.key).slice(-MOST);
    if (typed.length > 1) event.stopImmediatePropagation(); // not a shortcut of the keyboard
  } else if (event.key !== "Shift") typed = "";
}

async function tapped(event) {
  const tile = reader && performance.now() < reader.until ? event.target.closest?.(".tile[data-alarm]") : null;
  if (!tile) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // a named act, and not the tap without a name
  const { name } = reader;
  reader = null;
  const bed = tile.id.replace(/^bed-/, "");
  const answer = await fetch(`/api/v1/icu/beds/${encodeURIComponent(bed)}/badge-acknowledge`, { method: "POST" }).catch(
    () => null,
  );
  tell(answer?.ok ? say("badge.done", { name }) : say(answer ? "badge.again" : "badge.away"));
}

/** Listen before anything else does: a reader's keys and the tap after it are nobody else's. */
export function listen() {
  if (!part()) return;
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("click", tapped, true);
}
