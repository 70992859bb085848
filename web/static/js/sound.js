// The tone of a board that lost its server. Browsers keep a page silent until somebody touched it
// (a wall is started with sound allowed): then the bar says so.

const REPEAT_MS = 5000;
const PULSES_S = [0, 0.25, 0.5]; // medium priority: three pulses (clinical/alarms.md)
let context = null;
let timer = 0;

const button = () => document.querySelector("[data-part=mute]");

function audio() {
  context ??= new AudioContext();
  return context;
}

export const muted = () => context === null || context.state !== "running";
export const playing = () => timer !== 0;

function pulse(at) {
  const sounds = audio();
  const volume = sounds.createGain();
  volume.connect(sounds.destination);
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.18, at + 0.02);
  volume.gain.setValueAtTime(0.18, at + 0.16);
  volume.gain.linearRampToValueAtTime(0, at + 0.18);
  for (const harmonic of [1, 2, 3, 4]) {
    const tone = sounds.createOscillator();
    tone.frequency.value = 330 * harmonic;
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
