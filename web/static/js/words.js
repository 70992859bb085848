// The words that tick in the page, in its language; the same forms as web/words.py.

const body = document.body;
const words = JSON.parse(body.dataset.words);
const language = document.documentElement.lang;
const zone = { timeZone: body.dataset.zone, hour12: false, hour: "2-digit", minute: "2-digit" };
const short = new Intl.DateTimeFormat("en-GB", zone);
const long = new Intl.DateTimeFormat("en-GB", { ...zone, second: "2-digit" });

/** The words for a key with {name} filled in. */
export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** `9 s`, `14 min`, `2 h 05`, `3 d 4 h` for microseconds. */
export function duration(us) {
  const s = Math.max(0, Math.floor(us / 1e6));
  const [min, h] = [Math.floor(s / 60), Math.floor(s / 3600)];
  if (s < 60) return say("time.s", { n: s });
  if (min < 60) return say("time.min", { n: min });
  if (h < 48) return say("time.h", { h, m: String(min % 60).padStart(2, "0") });
  return say("time.d", { d: Math.floor(h / 24), h: h % 24 });
}

/** The running time of an alarm: `0:42`. */
export function since(us) {
  const s = Math.max(0, Math.floor(us / 1e6));
  return s < 3600 ? `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}` : duration(us);
}

/** A clock time of the hospital, `10:42` or `10:42:17`. */
export function clock(us, seconds = false) {
  return (seconds ? long : short).format(us / 1000);
}

export { language };
