// The socket of the curves: a second one beside the board's, binary, watched and opened again.

import { BEAT, GAP, parse } from "./wave-frame.js";

const LEAST_MS = 500;
const MOST_MS = 8000;
const SILENT_MS = 3000; // the server beats each second: an open socket that is silent is a cut network
const SIGNED_OUT = 1008;

/** Follow the curves of a unit; `take(frame)` gets each frame with samples. */
export function follow(address, take) {
  let socket = null;
  let heard = 0;
  let attempts = 0;
  let again = 0;
  let ended = false;

  function later() {
    if (ended || again) return;
    const ceiling = Math.min(MOST_MS, 1000 * 2 ** Math.min(attempts, 3));
    again = setTimeout(open, LEAST_MS + Math.random() * (ceiling - LEAST_MS));
  }

  function drop() {
    if (!socket) return;
    socket.onclose = socket.onmessage = socket.onerror = null;
    socket.close();
    socket = null;
  }

  function open() {
    again = 0;
    attempts += 1;
    heard = performance.now();
    const url = new URL(address, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      heard = performance.now();
      attempts = 0;
      for (const frame of parse(data)) {
        // A GAP says that this screen was too slow; the time of the next frame shows the hole.
        if (frame.kind !== BEAT && frame.kind !== GAP) take(frame);
      }
    };
    socket.onclose = ({ code }) => {
      socket = null;
      if (code === SIGNED_OUT) ended = true;
      later();
    };
  }

  setInterval(() => {
    if (ended || again || performance.now() - heard < SILENT_MS) return;
    drop();
    later();
  }, 500);
  open();
}
