// The server's time in this page, from its beats and this machine's own clocks.
//
// A beat that was held up on the way looks older than it is, so the largest difference between the
// server's clock and ours within a minute counts. The wall clock is asked only for sleep: after it
// the board is older than the monotonic clock says. Too old is safe, too young is not.

const WINDOW_MS = 30_000;
let current = -Infinity; // server minus monotonic clock, in ms: the largest of this window
let before = -Infinity; // and of the one before
let opened = 0;
let mark = { mono: 0, wall: 0 }; // both clocks when we last heard something
let beatMs = null;

function take(serverMs, mono, anew) {
  const ahead = serverMs - mono;
  if (anew) [current, before, opened] = [ahead, -Infinity, mono];
  if (mono - opened > WINDOW_MS) [before, current, opened] = [current, -Infinity, mono];
  current = Math.max(current, ahead);
}

/** Start from the time the page was rendered at, counted from when its answer began to arrive. */
export function start(serverUs) {
  const [entry] = performance.getEntriesByType("navigation");
  const mono = performance.now();
  const began = entry ? entry.responseStart : mono;
  take(serverUs / 1000, began, true);
  mark = { mono, wall: Date.now() };
}

/** A beat of the server; `fresh` on a new socket, whose first beat is believed as it is. */
export function beat(serverMs, fresh) {
  const mono = performance.now();
  take(serverMs, mono, fresh);
  mark = { mono, wall: Date.now() };
  beatMs = serverMs;
}

/** The server's present time in microseconds. */
export function now() {
  const mono = performance.now();
  const slept = Math.max(0, Date.now() - mark.wall - (mono - mark.mono));
  return (mono + slept + Math.max(current, before)) * 1000;
}

/** Milliseconds since the server's last word, by the server's time; Infinity before the first. */
export function silence() {
  return beatMs === null ? Infinity : now() / 1000 - beatMs;
}

/** The server's time of the last beat in microseconds, or null. */
export function lastBeat() {
  return beatMs === null ? null : beatMs * 1000;
}
