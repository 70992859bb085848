// How a trend, a strip and the marks beside them look on their canvases; nothing is remembered.

const PULSE_S = 0.2; // of the calibration: 1 mV, 10 mm high, 5 mm wide at 25 mm/s
const NO_SAMPLE = null;
const DASHES = [[], [5, 3], [2, 3]]; // of the lines of a lane

function ready(canvas) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${getComputedStyle(canvas).fontFamily}`;
  return [context, width, height];
}

const within = (points, view, step) => points.filter((p) => p[0] + step >= view.from && p[0] <= view.to);

/** [lowest, highest, room above and below] of what is seen of several ranges: they share a scale.

A scale spans at least `least` of its values: a tremor does not look like a fall. */
export function scaleOf(parts) {
  const seen = parts.flatMap(({ trends, view, step }) => trends.flatMap((t) => within(t.points, view, step)));
  if (!seen.length) return null;
  const low = seen.reduce((least, p) => Math.min(least, p[1]), Infinity);
  const high = seen.reduce((most, p) => Math.max(most, p[2]), -Infinity);
  const least = Math.max(...parts.flatMap(({ trends }) => trends.map((t) => t.least)));
  return [low, high, Math.max((high - low) * 0.1, (least - (high - low)) / 2)];
}

/** Lowest and highest of each step as a band, the mean as a line; a hole stays a hole. */
export function draw(canvas, trends, view, step, style, scale, moves) {
  const [context, width, height] = ready(canvas);
  const x = (at) => ((at - view.from) / (view.to - view.from)) * width;
  if (!scale) return;
  const room = scale[2];
  const [low, high] = [scale[0] - room, scale[1] + room];
  const y = (value) => height - 4 - ((value - low) / (high - low)) * (height - 24);
  context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
  trends.forEach((trend) => {
    const inside = within(trend.points, view, step);
    context.globalAlpha = 0.3;
    for (const [at, lowest, highest] of inside) {
      context.fillRect(x(at), y(highest), Math.max(1, x(at + step) - x(at)), Math.max(1, y(lowest) - y(highest)));
    }
    context.globalAlpha = 1;
    context.setLineDash(DASHES[trend.index]);
    context.beginPath();
    let before = null;
    for (const point of inside) {
      const [px, py] = [x(point[0] + step / 2), y(point[3])];
      if (before !== null && point[0] - before <= Math.max(step * 1.5, 90e6)) context.lineTo(px, py);
      else {
        context.moveTo(px, py);
        context.fillRect(px - 1.5, py - 1.5, 3, 3); // a single value is a dot
      }
      before = point[0];
    }
    context.stroke();
  });
  context.setLineDash([]);
  context.strokeStyle = style.getPropertyValue("color");
  moves.forEach((at) => upright(context, x(at), height, [6, 4]));
}

/** The whole hours (or what fits) of a range, faintly through a lane. */
export function drawTicks(canvas, view, style, ticks) {
  const context = canvas.getContext("2d");
  context.strokeStyle = style.getPropertyValue("color");
  context.globalAlpha = 0.16;
  for (const { us } of ticks) {
    upright(context, ((us - view.from) / (view.to - view.from)) * canvas.clientWidth, canvas.clientHeight, []);
  }
  context.globalAlpha = 1;
}

/** The calipers of a range, through whatever stands on its canvas. */
export function drawCalipers(canvas, view, style, calipers) {
  const context = canvas.getContext("2d");
  context.strokeStyle = style.getPropertyValue("color");
  for (const at of calipers) {
    const x = ((at - view.from) / (view.to - view.from)) * canvas.clientWidth;
    upright(context, x, canvas.clientHeight, []);
  }
}

/** An upright line: a move to another bed, a caliper. */
function upright(context, at, height, dash) {
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(at, 0);
  context.lineTo(at, height);
  context.stroke();
  context.setLineDash([]);
}

/** The stored curve itself on the axis of the lanes, with its scale: 10 mm a millivolt, a pulse of
1 mV below it. `instead`: what is said where the scale does not hold, on paper. */
export function drawStrip(canvas, pieces, view, style, instead = "") {
  const names = [...new Set(pieces.map((piece) => piece.code))];
  const code = names.find((name) => /^(131330|MDC_ECG_ELEC_POTL_II|II)$/.test(name)) ?? names[0];
  const own = pieces.filter((piece) => piece.code === code);
  const [context, width, height] = ready(canvas);
  const millimetre = 3.78; // of CSS: 96 px an inch; what is printed has its true length
  const seconds = (view.to - view.from) / 1e6;
  const x = (at) => ((at - view.from) / (view.to - view.from)) * width;
  const volts = { mV: 1, uV: 0.001, V: 1000 }[own[0]?.unit];
  const values = [];
  for (const piece of own) {
    for (const sample of piece.samples) {
      if (sample !== NO_SAMPLE) values.push(sample * piece.scale + piece.offset);
    }
  }
  if (!values.length) return 0;
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const middle = (low + high) / 2;
  const gain = volts ? 10 * millimetre * volts : (height - 30) / (high - low || 1);
  const y = (value) => height / 2 - (value - middle) * gain;
  context.strokeStyle = getComputedStyle(canvas.parentElement).borderTopColor; // as the browser made it
  const beat = seconds <= 12 ? 0.2 : 1;
  const first = Math.ceil(view.from / 1e6 / beat);
  for (let n = first; n * beat * 1e6 <= view.to; n += 1) {
    context.beginPath();
    context.moveTo(x(n * beat * 1e6), 0);
    context.lineTo(x(n * beat * 1e6), height);
    context.stroke();
  }
  context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
  if (volts) {
    const wide = Math.max(5, Math.min(20, (width / seconds) * PULSE_S));
    const [foot, top] = [height - 6, height - 6 - 10 * millimetre];
    context.beginPath();
    context.moveTo(4, foot);
    context.lineTo(6, foot);
    context.lineTo(6, top);
    context.lineTo(6 + wide, top);
    context.lineTo(6 + wide, foot);
    context.stroke();
  }
  let painted = 0;
  context.beginPath();
  let end = null;
  for (const piece of own) {
    let pen = end !== null && Math.abs(piece.started_us - end) < 20_000;
    piece.samples.forEach((sample, index) => {
      const at = piece.started_us + (index * 1e6) / piece.rate_hz;
      if (sample === NO_SAMPLE || at < view.from || at > view.to) {
        pen = false;
        return;
      }
      const point = [x(at), y(sample * piece.scale + piece.offset)];
      if (pen) context.lineTo(...point);
      else context.moveTo(...point);
      pen = true;
      painted += 1;
    });
    end = piece.started_us + (piece.samples.length * 1e6) / piece.rate_hz;
  }
  context.stroke();
  const speed = (width / seconds / millimetre).toFixed(1);
  context.fillText(instead || (volts ? `${speed} mm/s · 10 mm/mV` : `${speed} mm/s`), 34, height - 6);
  return painted;
}

/** Alarms, orders, notes and devices on the same axis, and the clock below. */
export function drawMarks(canvas, events, view, style, ticks) {
  const [context, width, height] = ready(canvas);
  const x = (at) => ((at - view.from) / (view.to - view.from)) * width;
  context.fillStyle = context.strokeStyle = style.getPropertyValue("color");
  for (const { us, text } of ticks) {
    const half = context.measureText(text).width / 2;
    context.textAlign = "center";
    context.fillText(text, Math.min(Math.max(x(us), half), width - half), height - 4);
  }
  const signs = { alarm: ["▲", 12], order: ["■", 24], note: ["●", 36], correction: ["✕", 36], device: ["◆", 48] };
  context.textAlign = "center";
  for (const event of events) {
    if (event.us < view.from || event.us > view.to) continue;
    const [sign, row] = signs[event.kind] ?? ["·", 36];
    if (event.kind !== "move") {
      context.fillText(sign, x(event.us), row);
      continue;
    }
    // The bed from here on, at whichever side there is room.
    context.textAlign = x(event.us) > width / 2 ? "right" : "left";
    context.fillText(`⇥ ${event.text.split("→").pop().trim()}`, x(event.us), 62);
    context.textAlign = "center";
  }
}
