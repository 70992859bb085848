// The crew's page: installed, sealed by a PIN, at work with and without a network.

import { bar } from "./tablet-bar.js";
import { fill, h, tell } from "./tablet-dom.js";
import * as screen from "./tablet-case.js";
import * as gate from "./tablet-gate.js";
import { fault } from "./tablet-link.js";
import * as model from "./tablet-model.js";
import * as monitor from "./tablet-monitor.js";
import { onset } from "./tablet-onset.js";
import * as position from "./tablet-position.js";
import * as pad from "./tablet-pad.js";
import * as panels from "./tablet-panels.js";
import * as store from "./tablet-store.js";
import * as sync from "./tablet-sync.js";
import * as things from "./tablet-things.js";
import * as crewWay from "./tablet-way.js";
import * as words from "./tablet-words.js";

const HOUR_MS = 3_600_000;
const place = document.getElementById("app");
const now = { view: "start", open: null, panel: "", about: null, running: false };

const way = (one, back, redraw) => crewWay.way(one, back, redraw, now.about);
const PANELS = { ...panels, ...things, complaint: panels.complaints, onset, way };
const say = (...given) => words.say(...given);

function toPanel(name) {
  now.panel = name;
  things.forget();
  draw();
  document.getElementById("panel-title")?.focus();
}

const back = (to) => {
  now.panel = "";
  things.forget();
  if (typeof to === "string") now.open = to;
  draw();
};

async function add() {
  now.open = await model.openCase();
  sync.now();
  toPanel("person");
}

const open = (id) => {
  [now.open, now.panel] = [id, ""];
  things.forget();
  draw();
};

const ACTS = {
  get other() { return words.other(); },
  speak() { words.speak(words.other()); draw(); },
  theme() {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  },
  pair() { [now.view, now.panel] = ["pairing", ""]; draw(); },
  lock() { [now.view, now.panel] = ["locked", ""]; things.forget(); draw(); }, // what waits goes on being sent
};

const usable = (one) => Boolean(one) && !one.ended && !one.joined;

/** The case that the crew has opened, never another in its place; at first the only one. */
function chosen() {
  if (!model.cases.has(now.open)) {
    const open = model.active();
    now.open = open.length === 1 ? open[0].id : null;
  }
  return model.cases.get(now.open);
}

function cases() {
  const one = chosen();
  const head = [bar(now.about.crew, now.about.mode !== "Real", ACTS), screen.tabs(now.open, open, add)];
  if (!one) return [...head, h("main", { class: "empty", "data-part": "main" }, h("p", {}, say(model.active().length ? "tablet.choose" : "tablet.empty")))];
  if (!usable(one)) return [...head, screen.ended(one)];
  const build = PANELS[now.panel];
  const middle = build ? [build(one, back, draw)] : [screen.values(one, draw), screen.consciousness(one, toPanel), pad.pad(one, draw)];
  const told = [screen.notTaken(one), monitor.loose(one), screen.said(one), crewWay.atTheDoor(one)].filter(Boolean);
  const body = [screen.proposal(one, toPanel), h("div", { class: "notes" }, told), screen.who(one, toPanel), ...middle, screen.queue(one, toPanel)];
  return [...head, h("main", { class: "tabp", "data-part": "main", "data-shown": build ? "panel" : "pad" }, body.filter(Boolean)), screen.foot(one, toPanel)];
}

function draw() {
  document.documentElement.dataset.view = now.view;
  if (now.view === "elsewhere") fill(place, [h("main", { class: "gate" }, h("p", {}, say("tablet.elsewhere")))]);
  else if (now.view === "pairing") fill(place, [gate.pairing(draw, unlocked)]);
  else if (now.view === "locked") fill(place, [gate.unlock(draw, unlocked)]);
  else if (now.view === "cases") fill(place, cases());
}

function become() {
  const { mode, crew, destinations, monitor: vehicle } = now.about;
  model.become({ mode, crew, destination: destinations[0]?.id ?? "", monitor: vehicle });
}

/** What the house has changed since the pairing: destinations, the vehicle's monitor. */
async function learn() {
  const told = await sync.about().catch(() => null); // in a tunnel what is known goes on
  if (!told) return;
  now.about = { ...told, crew: now.about.crew };
  await store.setSecret("about", now.about);
  become();
  draw();
}

async function unlocked() {
  if (now.running && now.view === "pairing") sync.use(await store.secret("token"));
  if (!now.running) {
    now.about = await store.secret("about");
    become();
    await model.load();
    now.running = true;
    sync.run(await store.secret("token"));
    monitor.listen(model.monitored);
    position.watch();
    learn();
    setInterval(model.wipe, HOUR_MS);
  }
  [now.view, now.panel] = ["cases", ""];
  draw();
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (now.view === "locked" || now.view === "pairing") gate.typed(event, draw, unlocked);
  else if (now.view === "cases" && now.panel && event.key === "Escape") back();
  else if (now.view === "cases" && !now.panel && usable(model.cases.get(now.open)) && !event.target.closest("input")) {
    pad.typed(event, model.cases.get(now.open), draw);
  }
}

let due = false;
/** At most one drawing a frame, however much changed. */
function soon() {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    draw();
    const one = model.cases.get(now.open);
    if (now.view === "cases" && one?.summary) tell(`${screen.whom(one)}: ${say(`colour.${screen.colourOf(one)}`)}`);
  }, 50);
}

addEventListener("error", ({ error }) => fault(error));
addEventListener("unhandledrejection", ({ reason }) => fault(reason));

async function begin() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/tablet/sw.js", { scope: "/tablet" });
  await words.load();
  await store.begin();
  gate.begin();
  now.view = (await store.known()) && !location.hash.includes("pair=") ? "locked" : "pairing";
  draw();
  document.addEventListener("keydown", keys);
  model.changed.addEventListener("change", () => { sync.now(); soon(); });
  setInterval(soon, 1000);
}

// One tab at a time holds the cases: two would overwrite each other.
navigator.locks.request("tablet", { ifAvailable: true }, async (lock) => {
  if (lock) {
    await begin();
    await new Promise(() => {});
  }
  return lock;
}).then((lock) => {
  if (lock) return;
  words.load().then(() => { now.view = "elsewhere"; draw(); });
  navigator.locks.request("tablet", async () => { location.reload(); });
});
