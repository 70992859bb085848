// The strip of an alarm: ten seconds of all curves around its beginning, one under another.
// Time runs to the right; each curve fills its band; a piece that was lost is a gap.

const BAND = 64; // CSS pixels of one curve
const GAP_US = 20_000;
const NAMES = { 131329: "I", 131330: "II", 131331: "V1", 131389: "III", 150452: "Pleth", 150036: "ABP", 151552: "Resp" };

function byCurve(pieces) {
  const curves = new Map();
  for (const piece of pieces) {
    const key = `${piece.code} ${piece.channel}`;
    if (!curves.has(key)) curves.set(key, []);
    curves.get(key).push(piece);
  }
  for (const list of curves.values()) list.sort((a, b) => a.started_us - b.started_us);
  return [...curves.values()];
}

function rangeOf(pieces) {
  let [low, high] = [Infinity, -Infinity];
  for (const piece of pieces)
    for (const sample of piece.samples) {
      if (sample === null) continue;
      const value = sample * piece.scale + piece.offset;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return low < high ? [low, high] : [low - 1, low + 1];
}

function draw(canvas, strip) {
  const curves = byCurve(strip.curves);
  const ratio = devicePixelRatio || 1;
  canvas.style.blockSize = `${curves.length * BAND}px`;
  const width = canvas.clientWidth;
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(curves.length * BAND * ratio)];
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.strokeStyle = pen.fillStyle = getComputedStyle(canvas).color;
  pen.font = "12px sans-serif";
  const start = Math.min(...strip.curves.map((piece) => piece.started_us));
  let painted = 0;
  curves.forEach((pieces, number) => {
    const [low, high] = rangeOf(pieces);
    const top = number * BAND + 14;
    pen.fillText(`${NAMES[pieces[0].code] ?? pieces[0].code}`, 2, top - 3);
    pen.beginPath();
    let last = null;
    for (const piece of pieces) {
      if (last !== null && piece.started_us - last > GAP_US) last = null;
      piece.samples.forEach((sample, i) => {
        if (sample === null) {
          last = null;
          return;
        }
        const at = piece.started_us + (i * 1e6) / piece.rate_hz;
        const x = ((at - start) / 1e6 / strip.seconds) * width;
        const y = top + (1 - (sample * piece.scale + piece.offset - low) / (high - low)) * (BAND - 18);
        if (last === null) pen.moveTo(x, y);
        else pen.lineTo(x, y);
        last = at + 1e6 / piece.rate_hz;
        painted += 1;
      });
    }
    pen.stroke();
  });
  canvas.dataset.painted = String(painted);
}

async function fill(canvas) {
  if (canvas.dataset.asked) return;
  canvas.dataset.asked = "yes";
  const answer = await fetch(canvas.dataset.strip, { headers: { Accept: "application/json" } });
  if (answer.ok) draw(canvas, (await answer.json()).strip);
}

const look = () => document.querySelectorAll("canvas[data-strip]").forEach(fill);
new MutationObserver(look).observe(document.querySelector("main") ?? document.body, { childList: true, subtree: true });
look();
