// One trace on each tile of the wall: ECG lead II of every bed, over one socket.

import { PlayClock } from "./wave-clock.js";
import { Lane } from "./wave-lane.js";
import { follow } from "./wave-socket.js";

const CODES = ["131330", "MDC_ECG_ELEC_POTL_II", "II"];
const FRAME_MS = 50; // fifty traces at the screen's own rate would leave no time for alarms
const SILENT_US = 15e6; // then the tile's place for a trace closes again
const PXMM = 2.5;
const beds = new Map(); // bed -> {play, lane}

const place = (bed) => document.querySelector(`.wave[data-bed="${CSS.escape(bed)}"]`);

function take(frame) {
  let bed = beds.get(frame.place);
  if (!bed) {
    const node = place(frame.place);
    if (!node) return;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true"); // the values beside it say the same in words
    node.replaceChildren(canvas);
    bed = { play: new PlayClock(), lane: new Lane(canvas, "ecg") };
    bed.lane.pxmm = PXMM;
    beds.set(frame.place, bed);
  }
  bed.play.arrived(frame.t0, performance.now());
  bed.lane.take(frame);
}

/** A tile that was swapped as a whole has lost its canvas: the same one goes back. */
function back() {
  for (const [bed, { lane }] of beds) {
    if (lane.canvas.isConnected) continue;
    const node = place(bed);
    if (node) node.replaceChildren(lane.canvas);
    else beds.delete(bed);
  }
}

let painted = 0;
function tick(time) {
  requestAnimationFrame(tick);
  if (time - painted < FRAME_MS) return;
  painted = time;
  for (const [name, bed] of beds) {
    const { lane, play } = bed;
    const due = play.at(performance.now());
    if (due === null) continue;
    if (lane.cursor !== null && due - lane.cursor > SILENT_US) {
      lane.canvas.remove();
      beds.delete(name);
    } else lane.draw(due);
  }
}

function fit() {
  for (const { lane } of beds.values()) {
    lane.fit();
    lane.redraw();
  }
}

document.body.addEventListener("htmx:wsAfterMessage", back);
addEventListener("resize", fit);
new MutationObserver(fit).observe(document.documentElement, { attributeFilter: ["data-theme"] });
const codes = CODES.map((code) => `code=${code}`).join("&");
follow(`/ws/v1/waveforms/${location.pathname.split("/")[2]}?${codes}`, take);
requestAnimationFrame(tick);
