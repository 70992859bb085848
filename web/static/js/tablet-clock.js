// The hospital's clock as this tablet knows it: what is stamped here must not lie ahead of it.

const SMALL_MS = 2000; // below this an offset may be the link's own delay

export const clock = { known: false, offset: 0 };
let doubt = Infinity;

/** The hospital's time in an answer that was asked for at `asked` and is here at `here` (ms). */
export function heard(theirs, asked, here) {
  if (!Number.isFinite(theirs)) return;
  const own = (here - asked) / 2;
  const measured = theirs - (asked + here) / 2;
  // The quickest answer knows best, until the tablet's own clock was set.
  if (own > doubt && Math.abs(measured - clock.offset) <= own + doubt) return;
  [doubt, clock.offset, clock.known] = [own, measured, true];
}

/** How far this tablet's clock is off, where it is off; ms to be added to it. */
export const shift = () => (Math.abs(clock.offset) > SMALL_MS ? Math.round(clock.offset) : 0);

/** The hospital's time now, ms. */
export const nowMs = () => Date.now() + shift();
export const iso = () => new Date(nowMs()).toISOString();
