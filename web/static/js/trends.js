// Trends of a bed: one axis from the whole stay to the single beat, moved by wheel, touch and keys.
//
// The account stands in the section's data-*: `from` and `to` in microseconds of what is drawn,
// `state` (loading, drawn, away), `curves` (samples drawn of the stored curve).

import { draw, drawMarks, drawStrip } from "./trends-draw.js";

const section = document.getElementById("trends");
const lanesBox = document.getElementById("lanes");
const words = JSON.parse(section.dataset.words);
const bed = section.dataset.bed;
const figures = [...section.querySelectorAll(".lane[data-codes]")];
const strip = document.getElementById("strip");
const marks = document.getElementById("marks").querySelector("canvas");
const rangeText = document.getElementById("trends-range");
const said = document.getElementById("trends-said");
const SPAN_US = { "10m": 600e6, "1h": 3600e6, "6h": 21600e6, "24h": 864e8, "3d": 2592e8, "7d": 6048e8 };
const CURVES_BELOW_US = 60e6; // from a minute on the stored curve is drawn
const EXPORT_BELOW_US = 2 * 3600e6; // what the server gives at a time
const NARROWEST_US = 2e6;
const WAIT_MS = 120; // while somebody turns the wheel nothing is asked for
const ROWS_MOST = 60;
const numbers = new Intl.NumberFormat(section.dataset.language, { maximumFractionDigits: 2 });
const now = () => Date.now() * 1000;

const view = { from: now() - SPAN_US["24h"], to: now() };
let stored = null; // whole stay: [from, to]
let asked = 0;
let timer = 0;
let calipers = [];
let drawn = { trends: {}, events: [], pieces: [], step: 0 };

// Day before month and 24 hours, in both languages.
const LOCALE = section.dataset.language === "en" ? "en-GB" : section.dataset.language;
const iso = (us) => new Date(us / 1000).toISOString();
const local = (us, options) =>
  new Date(us / 1000).toLocaleString(LOCALE, { timeZone: section.dataset.zone, ...options });
const stamp = (us) =>
  local(us, { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });

async function fetched(path, accept = "application/json") {
  const answer = await fetch(path, { headers: { Accept: accept } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}

function show(from, to) {
  const width = Math.max(NARROWEST_US, to - from);
  const middle = (from + to) / 2;
  [view.from, view.to] = [Math.round(middle - width / 2), Math.round(middle + width / 2)];
  section.dataset.state = "loading";
  paint(); // what is there, at its new place, at once
  clearTimeout(timer);
  timer = setTimeout(load, WAIT_MS);
}

async function load() {
  const mine = ++asked;
  const [from, to] = [view.from, view.to];
  const codes = figures.flatMap((figure) => figure.dataset.codes.split(" "));
  const points = Math.min(2000, Math.max(200, lanesBox.clientWidth));
  const ask = new URLSearchParams([
    ...codes.map((code) => ["code", code]), ["from", iso(from)], ["to", iso(to)], ["points", points],
  ]);
  try {
    const base = `/api/v1/icu/beds/${bed}`;
    const range = `from=${encodeURIComponent(iso(from))}&to=${encodeURIComponent(iso(to))}`;
    const close = to - from <= CURVES_BELOW_US;
    const [trends, events, pieces] = await Promise.all([
      fetched(`${base}/trends?${ask}`).then((answer) => answer.json()),
      fetched(`${base}/trends/events?${range}`).then((answer) => answer.json()),
      close ? curves(base, from, to) : [],
    ]);
    if (mine !== asked) return;
    drawn = {
      trends: Object.fromEntries(
        Object.entries(trends.trends).map(([code, trend]) => [
          code,
          { unit: trend.unit, points: trend.points.map((p) => [Date.parse(p[0]) * 1000, ...p.slice(1)]) },
        ]),
      ),
      events: events.events.map((event) => ({ ...event, us: Date.parse(event.at) * 1000 })),
      pieces: ofOneMode(pieces, trends.mode),
      step: trends.step_s * 1e6,
    };
    [section.dataset.from, section.dataset.to] = [from, to];
    section.dataset.state = "drawn";
    section.dataset.mode = trends.mode;
    document.getElementById("trends-mode").hidden = !trends.mode || trends.mode === "Real";
    said.textContent = Object.keys(drawn.trends).length || pieces.length ? "" : words.none;
    paint();
    table();
  } catch {
    if (mine !== asked) return;
    section.dataset.state = "away";
    said.textContent = words.away;
  }
}

async function curves(base, from, to) {
  // A piece may have begun before the range: a few seconds more are asked for.
  const range = `from=${encodeURIComponent(iso(from - 10e6))}&to=${encodeURIComponent(iso(to))}`;
  const answer = await fetched(`${base}/waveforms?${range}`, "application/x-ndjson");
  const text = await answer.text();
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** Of a real patient real curves alone; where nobody says who lies there, as soon as one is real. */
function ofOneMode(pieces, mode) {
  const real = pieces.filter((piece) => piece.mode === "Real");
  return mode === "Real" || (!mode && real.length) ? real : pieces;
}

function paint() {
  rangeText.textContent = `${stamp(view.from)} – ${stamp(view.to)}`;
  const style = getComputedStyle(section);
  for (const figure of figures) {
    const found = figure.dataset.codes.split(" ").map((code) => drawn.trends[code]).filter(Boolean);
    figure.hidden = !found.length;
    if (found.length) draw(figure.querySelector("canvas"), found, view, drawn.step, style, numbers);
  }
  const close = view.to - view.from <= CURVES_BELOW_US;
  const files = document.getElementById("trends-export");
  files.hidden = view.to - view.from > EXPORT_BELOW_US;
  const range = `from=${encodeURIComponent(iso(view.from))}&to=${encodeURIComponent(iso(view.to))}`;
  for (const link of files.querySelectorAll("[data-export]")) {
    link.href = `/api/v1/icu/beds/${bed}/waveforms/export?format=${link.dataset.export}&${range}`;
  }
  strip.hidden = !close || !drawn.pieces.length;
  section.dataset.curves = strip.hidden
    ? 0
    : drawStrip(strip.querySelector("canvas"), drawn.pieces, view, style);
  drawMarks(marks, drawn.events, view, style, local, calipers);
  caliperText();
}

function table() {
  const head = section.querySelector("#trend-table thead");
  const body = section.querySelector("#trend-table tbody");
  const codes = figures.flatMap((f) =>
    f.dataset.codes.split(" ").filter((code) => drawn.trends[code])
      .map((code) => [code, f.querySelector("figcaption").textContent]),
  );
  const rows = new Map();
  for (const [code] of codes) {
    for (const [at, low, high, mean] of drawn.trends[code].points) {
      const bin = Math.max(drawn.step, (view.to - view.from) / ROWS_MOST);
      const key = Math.floor(at / bin) * bin;
      const row = rows.get(key) ?? rows.set(key, {}).get(key);
      const known = row[code];
      row[code] = known
        ? [Math.min(low, known[0]), Math.max(high, known[1]), known[2] + mean, known[3] + 1]
        : [low, high, mean, 1];
    }
  }
  const line = (cells, name) => {
    const row = document.createElement("tr");
    cells.forEach((text, index) => {
      const cell = document.createElement(index && name === "td" ? "td" : "th");
      if (cell.tagName === "TH") cell.scope = name === "td" ? "row" : "col";
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  };
  const heading = codes.map(([code, label]) => `${label} ${words.units[drawn.trends[code].unit] ?? drawn.trends[code].unit}`);
  head.replaceChildren(line([words.at, ...heading], "th"));
  body.replaceChildren(
    ...[...rows.entries()].sort((a, b) => b[0] - a[0]).slice(0, ROWS_MOST + 2).map(([at, row]) =>
      line([stamp(at), ...codes.map(([code]) => cellText(row[code]))], "td")),
  );
  const list = document.getElementById("trend-events");
  list.replaceChildren(...drawn.events.map((event) => {
    const item = document.createElement("li");
    const kind = words[`kind.${event.kind}`] ?? event.kind;
    item.textContent = `${stamp(event.us)} ${kind}: ${event.text} ${event.act}`;
    return item;
  }));
}

function cellText(found) {
  if (!found) return "";
  const [low, high, sum, count] = found;
  const mean = numbers.format(sum / count);
  return low === high ? mean : `${mean} (${numbers.format(low)}–${numbers.format(high)})`;
}

function caliperText() {
  if (calipers.length < 2) return;
  const [a, b] = [...calipers].sort((x, y) => x - y);
  const ms = (b - a) / 1000;
  const rate = ms < 10000 ? ` · ${numbers.format(60000 / ms)} /min` : "";
  said.textContent = `${words.caliper} ${ms < 10000 ? `${numbers.format(ms)} ms` : `${numbers.format(ms / 1000)} s`}${rate}`;
  section.dataset.caliper = Math.round(ms);
}

const timeAt = (x) => view.from + ((x - lanesBox.getBoundingClientRect().left) / lanesBox.clientWidth) * (view.to - view.from);

function zoom(factor, centre = (view.from + view.to) / 2) {
  show(centre - (centre - view.from) * factor, centre + (view.to - centre) * factor);
}

function pan(share) {
  const shift = (view.to - view.from) * share;
  show(view.from + shift, view.to + shift);
}

const ACTS = { in: () => zoom(0.5), out: () => zoom(2), left: () => pan(-0.4), right: () => pan(0.4), print: () => print() };
const KEYS = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right" };

section.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.do) ACTS[button.dataset.do]();
  else if (button.dataset.span) whole(button.dataset.span);
});
lanesBox.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (KEYS[event.key]) ACTS[KEYS[event.key]]();
  else if (event.key === "Home") whole("stay");
  else if (event.key === "End") show(now() - (view.to - view.from), now());
  else if (event.key === "Escape") calipers = [];
  else return;
  event.preventDefault();
  paint();
});
lanesBox.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / 800);
  else zoom(event.deltaY > 0 ? 1.4 : 1 / 1.4, timeAt(event.clientX));
}, { passive: false });

// One finger or the mouse moves the axis, two fingers stretch it; a tap sets a caliper.
const fingers = new Map();
let moved = 0;
lanesBox.addEventListener("pointerdown", (event) => {
  lanesBox.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event.clientX);
  moved = 0;
});
lanesBox.addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId)) return;
  const before = [...fingers.values()];
  const last = fingers.get(event.pointerId);
  fingers.set(event.pointerId, event.clientX);
  moved += Math.abs(event.clientX - last);
  const after = [...fingers.values()];
  if (after.length === 1) pan(-(event.clientX - last) / lanesBox.clientWidth);
  else if (after.length === 2) {
    const width = (row) => Math.max(20, Math.abs(row[0] - row[1]));
    zoom(width(before) / width(after), timeAt((after[0] + after[1]) / 2));
  }
});
const lift = (event) => {
  if (fingers.size === 1 && moved < 4 && event.type === "pointerup") {
    calipers = [...calipers, timeAt(event.clientX)].slice(-2);
    paint();
  }
  fingers.delete(event.pointerId);
};
lanesBox.addEventListener("pointerup", lift);
lanesBox.addEventListener("pointercancel", lift);
addEventListener("resize", paint);

async function whole(span) {
  for (const button of section.querySelectorAll("[data-span]")) {
    button.setAttribute("aria-pressed", String(button.dataset.span === span));
  }
  if (span !== "stay") {
    const end = stored && stored[1] < now() - SPAN_US[span] ? stored[1] : now();
    return show(end - SPAN_US[span], end);
  }
  const since = Number(section.dataset.since);
  try {
    const answer = await fetched(`/api/v1/icu/beds/${bed}/trends?code=8867-4&points=1`);
    const found = await answer.json();
    const first = Date.parse(found.from) * 1000;
    stored = [since ? Math.max(since, first) : first, Date.parse(found.to) * 1000];
    show(stored[0], stored[1]);
  } catch {
    section.dataset.state = "away";
    said.textContent = words.away;
  }
}

const linked = new URLSearchParams(location.hash.slice(1));
if (linked.has("from") && linked.has("to")) show(Number(linked.get("from")), Number(linked.get("to")));
else whole("24h");
