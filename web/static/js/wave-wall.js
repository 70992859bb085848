// The traces on the tiles of the wall, over one socket: lead II of every bed; where there are four
// beds at most, the artery, the pulse and the breath as well. Only tiles in sight are drawn.

import { PlayClock } from "./wave-clock.js";
import { Lane } from "./wave-lane.js";
import { follow } from "./wave-socket.js";

const FRAME_MS = 50; // fifty traces at the screen's own rate would leave no time for alarms
const SILENT_US = 15e6; // then the tile's place for a trace closes again
const PXMM = document.getElementById("board").dataset.n === "4" ? 3.2 : 2.5; // at 16 px a rem: 4K shows the same picture
const LINE = 1.6;
const ACCOUNT_MS = 1000;
const GAIN = 10; // mm/mV where there is room for a complex of
const TALL_MV = 1.5; // else as much as it has: no trace of the wall is to scale
const beds = new Map(); // bed -> {play, rows: row -> trace}
const kinds = new Map(); // code -> what the server says of its trace; the first of a row goes first
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.toggleAttribute("data-away", !isIntersecting);
});
// The first time as well: a trace that asked by itself would have the whole board laid out for it.
const sized = new ResizeObserver((entries) => rescale(entries.map(({ target }) => target.trace)));

for (const [rank, kind] of JSON.parse(document.getElementById("board").dataset.traces).entries()) {
  for (const code of kind.codes) kinds.set(code, { ...kind, rank });
}

const place = (bed) => document.querySelector(`.wave[data-bed="${CSS.escape(bed)}"]`);
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/** Sizes and colours of traces: all are asked before one is changed, so the page is laid out once. */
function rescale(traces) {
  const size = rem();
  const shown = traces.filter(({ node }) => node.isConnected);
  for (const { lane } of shown) lane.measure();
  for (const { lane } of shown) {
    lane.fit();
    Object.assign(lane, { pxmm: PXMM * size, line: LINE * size });
    lane.gain = Math.min(GAIN, (0.58 * lane.height) / (TALL_MV * lane.pxmm));
    lane.redraw();
  }
}

function begun(kind, home) {
  const node = document.createElement("div");
  const canvas = document.createElement("canvas");
  node.className = `trace ${kind.tint}`;
  node.setAttribute("aria-hidden", "true"); // the values beside it say the same in words
  Object.assign(node.dataset, { row: kind.row, name: kind.name });
  node.append(canvas);
  home.append(node);
  const trace = { node, kind, lane: new Lane(canvas, kind.form) };
  trace.lane.accountMs = ACCOUNT_MS;
  node.trace = trace;
  seen.observe(node);
  sized.observe(node);
  return trace;
}

function end(bed, trace) {
  seen.unobserve(trace.node);
  sized.unobserve(trace.node);
  trace.node.remove();
  bed.rows.delete(trace.kind.row);
}

function take(frame) {
  const kind = kinds.get(frame.code);
  const home = kind && place(frame.place);
  if (!home) return;
  if (!beds.has(frame.place)) beds.set(frame.place, { play: new PlayClock(), rows: new Map() });
  const bed = beds.get(frame.place);
  let trace = bed.rows.get(kind.row);
  if (trace && trace.kind.rank < kind.rank) return;
  if (trace && trace.kind.rank > kind.rank) {
    end(bed, trace);
    trace = undefined;
  }
  if (!trace) {
    trace = begun(kind, home);
    bed.rows.set(kind.row, trace);
  }
  bed.play.arrived(frame.t0, performance.now());
  trace.lane.take(frame);
}

/** A tile that was swapped as a whole has lost its traces: the same ones go back. */
function back() {
  for (const [name, bed] of beds) {
    const home = place(name);
    for (const trace of [...bed.rows.values()]) {
      if (trace.node.isConnected) continue;
      if (home) home.append(trace.node);
      else end(bed, trace);
    }
    if (!home) beds.delete(name);
  }
}

let painted = 0;
function tick(time) {
  requestAnimationFrame(tick);
  if (time - painted < FRAME_MS) return;
  painted = time;
  for (const bed of beds.values()) {
    const due = bed.play.at(performance.now());
    if (due === null) continue;
    for (const trace of [...bed.rows.values()]) {
      const { lane, node } = trace;
      if (!lane.width || node.hasAttribute("data-away")) continue;
      lane.draw(due);
      if (lane.cursor !== null && due - lane.cursor > SILENT_US) end(bed, trace);
    }
  }
}

/** Another theme: every trace in its other colour. */
function recolour() {
  rescale([...beds.values()].flatMap(({ rows }) => [...rows.values()]));
}

document.body.addEventListener("htmx:wsAfterMessage", back);
new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
const codes = [...kinds.keys()].map((code) => `code=${encodeURIComponent(code)}`).join("&");
follow(`/ws/v1/waveforms/${location.pathname.split("/")[2]}?${codes}`, take);
requestAnimationFrame(tick);
