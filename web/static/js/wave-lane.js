// One curve on a canvas: erase-bar sweep, gaps as gaps, and an account of every sample.
//
// The account stands in the canvas's data-*: `painted` samples and their `hash` (FNV-1a over the
// 16-bit words in the order of painting), `first` and `last` moment, `gaps` as FROM-TO in
// microseconds, `late` samples that came after their moment had passed, `doubled` ones; `pxs` is the
// present speed in pixels a second.

import { NO_SAMPLE } from "./wave-frame.js";

const ERASE_MM = 4;
const TOLERANCE_US = 20_000; // clocks of devices jitter; a hole is larger
const LATE_US = 2e6; // what comes later than this is no live curve: its gap stays
const KEPT_US = 60e6; // of a hidden or frozen page
const GAPS_TOLD = 50;
const ACCOUNT_MS = 250;
const MILLIVOLT = { mV: 1, uV: 0.001, V: 1000 };

const end = (piece) => piece.t0 + (piece.samples.length * 1e6) / piece.rate;
const timeOf = (piece, i) => piece.t0 + (i * 1e6) / piece.rate;

export class Lane {
  speed = 25; // mm/s
  gain = 10; // mm/mV
  pxmm = 3.78;
  line = 1.6; // width of the line, px
  width = 0; // px; until it was measured nothing is drawn
  height = 0;
  accountMs = ACCOUNT_MS;
  cursor = null; // the moment after the last sample that was taken from the queue
  #queue = []; // pieces still to be painted, by time
  #past = []; // pieces painted, for a new size or gain
  #play = null;
  #range = null; // [low, high] of a curve without a fixed gain
  #pen = null; // [x, y] of the last sample, or null after a gap
  #open = false; // whether the path has begun
  #told = { painted: 0, hash: 0x811c9dc5, first: 0, last: 0, late: 0, doubled: 0, gaps: [] };
  #toldAt = 0;
  #measured = null;

  constructor(canvas, form) {
    [this.canvas, this.form] = [canvas, form];
    this.context = canvas.getContext("2d");
  }

  /** Ask the page for the canvas's size and colour; of many lanes all ask before one is changed. */
  measure() {
    this.#measured = [this.canvas.clientWidth, this.canvas.clientHeight];
    this.colour = getComputedStyle(this.canvas).color;
  }

  /** Take the canvas's size and colour from the page; true where the size is another. */
  fit() {
    if (!this.#measured) this.measure();
    const ratio = devicePixelRatio || 1;
    const [width, height] = this.#measured;
    this.#measured = null;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width === w && this.canvas.height === h && this.ratio === ratio) return false;
    [this.canvas.width, this.canvas.height, this.ratio] = [w, h, ratio];
    [this.width, this.height] = [width, height];
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return true;
  }

  get #pxs() {
    return this.speed * this.pxmm;
  }

  get #sweepUs() {
    return ((this.width - ERASE_MM * this.pxmm) / this.#pxs) * 1e6;
  }

  /** A frame has come. */
  take({ t0, rate, scale, offset, unit, samples }) {
    if (!samples.length || !(rate > 0)) return;
    const piece = { t0, rate, scale, offset, unit, samples, next: 0, begun: false };
    const done = this.cursor !== null && end(piece) <= this.cursor + TOLERANCE_US;
    if (done || this.#queue.some((other) => other.t0 === t0)) {
      this.#told.doubled += samples.length;
      return;
    }
    if (this.#play !== null && this.cursor !== null && end(piece) < this.#play - LATE_US) {
      this.#told.late += samples.length;
      return;
    }
    if (this.cursor !== null && t0 < this.cursor - TOLERANCE_US) {
      piece.next = Math.round(((this.cursor - t0) * rate) / 1e6);
      this.#told.doubled += piece.next;
    }
    let place = this.#queue.length;
    while (place > 0 && this.#queue[place - 1].t0 > t0) place -= 1;
    this.#queue.splice(place, 0, piece);
    while (this.#queue.length && end(this.#queue.at(-1)) - this.#queue[0].t0 > KEPT_US) this.#queue.shift();
  }

  /** Paint what is due at `play` (microseconds of the device's time). */
  draw(play) {
    if (this.#play !== null && play < this.#play - LATE_US) {
      [this.cursor, this.#queue, this.#past] = [null, [], []]; // the device's clock was set back
    }
    if (this.#play === null || Math.abs(play - this.#play) > this.#sweepUs) this.#clear();
    else this.#erase(this.#play, play);
    const round = this.#play !== null && this.#x(play) < this.#x(this.#play);
    this.#play = play;
    const oldest = play - this.#sweepUs;
    this.#path();
    let grown = false;
    while (this.#queue.length) {
      const piece = this.#queue[0];
      if (end(piece) < oldest) {
        this.#queue.shift(); // the page was hidden or frozen: nobody saw its moment
        continue;
      }
      if (timeOf(piece, piece.next) < oldest) piece.next = Math.ceil(((oldest - piece.t0) * piece.rate) / 1e6);
      if (timeOf(piece, piece.next) > play) break;
      if (!piece.begun) grown = this.#begin(piece) || grown;
      while (piece.next < piece.samples.length && timeOf(piece, piece.next) <= play) {
        this.#line(piece, piece.next);
        this.#count(piece, piece.samples[piece.next]);
        piece.next += 1;
      }
      this.cursor = timeOf(piece, piece.next);
      this.#told.last = Math.round(this.cursor);
      if (piece.next < piece.samples.length) break;
      this.#past.push(this.#queue.shift());
    }
    this.context.stroke();
    while (this.#past.length && end(this.#past[0]) < oldest) this.#past.shift();
    if (round) grown = this.#settle() || grown;
    if (grown) this.redraw();
    this.#tell();
  }

  /** Paint the present picture anew: another size, speed, gain or colour. */
  redraw() {
    this.#clear();
    if (this.#play === null) return;
    this.#path();
    let before = null;
    const half = this.#queue[0]?.begun ? [this.#queue[0]] : [];
    for (const piece of [...this.#past, ...half]) {
      if (before !== null && piece.t0 - before > TOLERANCE_US) this.#pen = null;
      const count = piece === half[0] ? piece.next : piece.samples.length;
      for (let i = 0; i < count; i += 1) {
        if (timeOf(piece, i) > this.#play - this.#sweepUs) this.#line(piece, i);
      }
      before = end(piece);
    }
    this.context.stroke();
  }

  #path() {
    const paper = this.context;
    [paper.strokeStyle, paper.lineWidth, paper.lineJoin] = [this.colour, this.line, "round"];
    paper.beginPath();
    this.#open = false;
  }

  /** A piece begins: note the hole before it; true where the curve outgrew its lane. */
  #begin(piece) {
    const told = this.#told;
    piece.begun = true;
    const begins = timeOf(piece, piece.next);
    if (this.cursor === null) told.first = Math.round(begins);
    else if (begins - this.cursor > TOLERANCE_US) {
      told.gaps.push(`${Math.round(this.cursor)}-${Math.round(begins)}`);
      if (told.gaps.length > GAPS_TOLD) told.gaps.shift();
      this.#pen = null;
    }
    return this.#fixed(piece) ? false : this.#grow(piece);
  }

  #fixed(piece) {
    return this.form === "ecg" && piece.unit in MILLIVOLT;
  }

  #grow(piece) {
    let [low, high] = this.#range ?? [Infinity, -Infinity];
    const [was, had] = [low, high];
    for (const sample of piece.samples) {
      if (sample === NO_SAMPLE) continue;
      const value = sample * piece.scale + piece.offset;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high || (low === was && high === had)) return false;
    this.#range = [low, high];
    return this.#past.length > 0;
  }

  /** After a sweep: a curve that has become small is drawn larger again. */
  #settle() {
    if (this.#range === null || !this.#past.length) return false;
    const [low, high] = this.#range;
    this.#range = null;
    for (const piece of this.#past) this.#grow(piece);
    const [least, most] = this.#range ?? [low, high];
    if (most - least < 0.6 * (high - low)) return true;
    this.#range = [low, high];
    return false;
  }

  #y(piece, sample) {
    const value = sample * piece.scale + piece.offset;
    if (this.#fixed(piece)) return this.height * 0.62 - value * MILLIVOLT[piece.unit] * this.gain * this.pxmm;
    const [low, high] = this.#range ?? [0, 1];
    return this.height * (0.9 - (0.72 * (value - low)) / (high - low || 1));
  }

  #x(time) {
    return ((time / 1e6) * this.#pxs) % this.width;
  }

  #line(piece, i) {
    const sample = piece.samples[i];
    if (sample === NO_SAMPLE) {
      this.#pen = null;
      return;
    }
    const [x, y] = [this.#x(timeOf(piece, i)), this.#y(piece, sample)];
    if (this.#pen === null || x < this.#pen[0]) this.context.moveTo(x, y);
    else {
      if (!this.#open) this.context.moveTo(...this.#pen);
      this.context.lineTo(x, y);
    }
    this.#open = true;
    this.#pen = [x, y];
  }

  #count(piece, sample) {
    if (sample === NO_SAMPLE) return;
    const told = this.#told;
    told.painted += 1;
    told.hash = Math.imul(told.hash ^ (sample & 0xffff), 0x01000193) >>> 0;
  }

  #clear() {
    this.#pen = null;
    this.context.clearRect(0, 0, this.width, this.height);
  }

  /** The bar moves on: only its front edge, for what lies behind it may hold the newest line. */
  #erase(from, to) {
    const left = (this.#x(from) + ERASE_MM * this.pxmm) % this.width;
    const width = ((to - from) / 1e6) * this.#pxs + 1;
    this.context.clearRect(left, 0, width, this.height);
    if (left + width > this.width) this.context.clearRect(0, 0, left + width - this.width, this.height);
  }

  #tell() {
    const now = performance.now();
    if (now - this.#toldAt < this.accountMs) return;
    this.#toldAt = now;
    const { dataset } = this.canvas;
    const told = { ...this.#told, gaps: this.#told.gaps.join(" "), pxs: this.#pxs };
    for (const [name, value] of Object.entries(told)) if (dataset[name] !== String(value)) dataset[name] = value;
  }
}
