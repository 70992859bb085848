// The wave frame in the page (docs/waveforms.md): little-endian, several in one message.

export const SAMPLES = 1;
export const GAP = 2;
export const BEAT = 3;
export const NO_SAMPLE = -32768;
const HEAD = 52;
const MAGIC = 0x5748; // "HW"
const MODES = ["Real", "Test", "Demo"];
const text = new TextDecoder();
const upTo8 = (size) => size + (-size & 7);

/** The frames of a message in their order; what is malformed ends it. */
export function parse(buffer) {
  const view = new DataView(buffer);
  const frames = [];
  let at = 0;
  while (at + HEAD <= buffer.byteLength) {
    if (view.getUint16(at, true) !== MAGIC || view.getUint8(at + 2) !== 1) break;
    const count = view.getUint32(at + 16, true);
    const names = [];
    let start = at + HEAD;
    for (let i = 0; i < 4; i += 1) {
      const length = view.getUint8(at + 5 + i);
      names.push(text.decode(new Uint8Array(buffer, start, length)));
      start += length;
    }
    start = at + upTo8(start - at);
    if (start + 2 * count > buffer.byteLength) break;
    const [place, code, channel, unit] = names;
    frames.push({
      kind: view.getUint8(at + 3),
      mode: MODES[view.getUint8(at + 4)],
      place, code, channel, unit, count,
      sequence: view.getUint32(at + 12, true),
      t0: Number(view.getBigInt64(at + 20, true)), // microseconds: exact in a double until 2255
      rate: view.getFloat64(at + 28, true),
      scale: view.getFloat64(at + 36, true),
      offset: view.getFloat64(at + 44, true),
      samples: new Int16Array(buffer, start, count),
    });
    at = start + upTo8(2 * count);
  }
  return frames;
}
