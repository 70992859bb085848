// NOT LIVE: after three seconds without a beat the page says so over its whole width, with sound.
// The claim to be live goes, the data stay: last values in grey with their clock time.

import * as clock from "./clock.js";
import * as sound from "./sound.js";
import { state } from "./socket.js";
import { clock as time, duration, say } from "./words.js";

const root = document.documentElement;
const LIMIT_MS = 3000;
const SOUND_MS = { wall: 3000, desk: 10_000, touch: 10_000 };
const part = (name) => document.querySelector(`[data-part=${name}]`);
let began = performance.now();

export const live = () => root.dataset.link === "live";

/** Whether the server has been heard within the limit, by its own time. */
export const heard = () => clock.silence() < LIMIT_MS;

function say_link(word) {
  part("link-words").textContent = say(word);
}

/** The last word of the server is too old, or the page was asleep. */
export function lose() {
  if (root.dataset.link !== "lost") {
    began = performance.now();
    root.dataset.link = "lost";
    say_link("bar.lost");
  }
  show();
}

/** Values were painted first; now the sign may go. */
export function regain() {
  root.dataset.link = "live";
  sound.stop();
  say_link("bar.live");
}

/** Keep the sign's own words counting. */
export function show() {
  if (root.dataset.link !== "lost") return;
  const beat = clock.lastBeat();
  const since = beat === null ? 0 : clock.now() - beat;
  part("lost-age").textContent =
    beat === null ? say("lost.never") : `${say("lost.ago", { age: duration(since) })} · ${time(beat, true)}`;
  const due = since / 1000 >= SOUND_MS[root.dataset.mode] || performance.now() - began >= SOUND_MS[root.dataset.mode];
  if (due && !document.hidden && !state.signedOut) sound.start();
  const trying = part("lost-try");
  if (state.signedOut) {
    if (!trying.querySelector("a")) {
      const link = Object.assign(document.createElement("a"), { href: "/sign-in", textContent: say("lost.sign_in") });
      trying.replaceChildren(`${say("lost.signed_out")} `, link);
    }
    return;
  }
  const heard = sound.playing() ? ` · ${say(sound.muted() ? "lost.muted" : "lost.sound")}` : "";
  const words = say("lost.trying", { n: Math.max(1, state.attempts) }) + heard;
  if (trying.textContent !== words) trying.textContent = words;
}
