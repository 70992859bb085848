// The clock under the trends: whole seconds, minutes, hours or days, as many as there is room for.

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const STEPS_S = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY];
const ROOM = 96; // pixels between two of them

/** The ticks of a view, each { us, text }; `local(us, options)` writes a moment in the ward's zone. */
export function ticksOf(view, width, local) {
  const wide = (view.to - view.from) / 1e6;
  const step = STEPS_S.find((each) => (each / wide) * width >= ROOM) ?? STEPS_S.at(-1);
  const [h, m, s] = local(view.from, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" })
    .match(/\d+/g).map(Number);
  const ofDay = h * HOUR + m * MINUTE + s + (view.from % 1e6) / 1e6;
  const first = view.from + (Math.ceil(ofDay / step) * step - ofDay) * 1e6;
  const clock = { hour: "2-digit", minute: "2-digit", ...(step < MINUTE ? { second: "2-digit" } : {}) };
  const ticks = [];
  for (let us = Math.round(first / 1e3) * 1e3; us <= view.to; us += step * 1e6) {
    const time = local(us, clock);
    const midnight = step < DAY && wide > DAY / 2 && /^0?0\D00/.test(time);
    ticks.push({ us, text: step >= DAY || midnight ? local(us, { day: "2-digit", month: "2-digit" }) : time });
  }
  return ticks;
}
