// The tone of a board that lost its server. Browsers keep a page silent until somebody touched it
// (a wall is started with sound allowed): then the bar says so.

const REPEAT_MS = 5000;
const PULSES_S = [0, 0.25, 0.5]; // medium priority: three pulses (clinical/alarms.md)
const CALL = [[0, 523], [0.25, 392], [0.5, 523], [0.75, 392]]; // seconds, pitch
const CALL_REPEAT_MS = 10_000;
let calling = 0;
let context = null;
let timer = 0;

const button = () => document.querySelector("[data-part=mute]");

export function audio() {
  context ??= new AudioContext();
  return context;
}

export const muted = () => context === null || context.state !== "running";
export const playing = () => timer !== 0;

function pulse(at, pitch = 330) {
  const sounds = audio();
  const volume = sounds.createGain();
  volume.connect(sounds.destination);
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.18, at + 0.02);
  volume.gain.setValueAtTime(0.18, at + 0.16);
  volume.gain.linearRampToValueAtTime(0, at + 0.18);
  for (const harmonic of [1, 2, 3, 4]) {
    const tone = sounds.createOscillator();
    tone.frequency.value = pitch * harmonic;
    tone.connect(volume);
    tone.start(at);
    tone.stop(at + 0.2);
  }
}

function burst() {
  if (muted()) {
    audio().resume();
    return;
  }
  for (const offset of PULSES_S) pulse(context.currentTime + offset);
}

/** Sound until `stop`; again every five seconds. */
export function start() {
  if (timer) return;
  timer = setInterval(burst, REPEAT_MS);
  burst();
}

/** Silence: the server is back. */
export function stop() {
  clearInterval(timer);
  timer = 0;
}

function callTone() {
  if (muted()) audio().resume();
  else for (const [offset, pitch] of CALL) pulse(context.currentTime + offset, pitch);
}

/** The call for a red patient, with a tone of its own; again until `hush`. */
export function ring() {
  if (calling) return;
  calling = setInterval(callTone, CALL_REPEAT_MS);
  callTone();
}

/** Somebody has heard of the patient. */
export function hush() {
  clearInterval(calling);
  calling = 0;
}

/** Show in the bar whether sound could be heard, and let a touch allow it. */
export function watch() {
  const allow = () => audio().resume().then(show, show);
  const show = () => {
    const node = button();
    if (node) node.hidden = !muted();
  };
  audio().addEventListener("statechange", show);
  document.addEventListener("pointerdown", allow, { once: true });
  document.addEventListener("keydown", allow, { once: true });
  show();
}
