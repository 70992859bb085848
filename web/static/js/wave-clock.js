// When a sample is due on the screen: a constant delay behind the earliest arrival of its device,
// by this page's monotonic clock. The device's own clock may be off by any amount.

const DELAY_MS = 300; // what a chunk may be late without a hole
const WINDOW_MS = 30_000;
const LATE_MS = 2000;
const LATE_FOR_MS = 4000; // nothing but late frames for so long: the device's clock was set back

export class PlayClock {
  #least = Infinity; // arrival minus time of the first sample, in ms: the smallest of this window
  #before = Infinity; // and of the one before
  #opened = 0;
  #lateSince = null;
  #shown = -Infinity;

  /** A frame has come; `now` is performance.now(). */
  arrived(t0, now) {
    const behind = now - t0 / 1000;
    const late = behind > Math.min(this.#least, this.#before) + LATE_MS;
    this.#lateSince = late ? (this.#lateSince ?? now) : null;
    if (late && now - this.#lateSince < LATE_FOR_MS) return;
    if (late) [this.#least, this.#before, this.#lateSince, this.#shown] = [Infinity, Infinity, null, -Infinity];
    if (now - this.#opened > WINDOW_MS) [this.#before, this.#least, this.#opened] = [this.#least, Infinity, now];
    this.#least = Math.min(this.#least, behind);
  }

  /** The device's time, in microseconds, that is due on the screen now; null before any frame. */
  at(now) {
    const least = Math.min(this.#least, this.#before);
    if (least === Infinity) return null;
    this.#shown = Math.max(this.#shown, (now - least - DELAY_MS) * 1000); // a curve never runs back
    return this.#shown;
  }
}
