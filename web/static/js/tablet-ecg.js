// An ECG file for a bad link: 2.5 s of lead II, then all leads coarsely, then every byte of it.
// Only our own sample form can be read here; other files go as they are, pictures are only shown.

const PREVIEW = { seconds: 2.5, rate_hz: 100 };
const COARSE = { seconds: 10, rate_hz: 100 };
const STEP_UV = 10;
const SIDE = 1600; // pixels: the small squares of the paper are still seen
const PICTURES = [[0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47]];

const flow = async (bytes, way) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(way)).arrayBuffer());
const packed = (bytes) => flow(bytes, new CompressionStream("gzip"));

const starts = (bytes, head) => head.every((byte, index) => bytes[index] === byte);

async function samples(bytes) {
  try {
    const plain = starts(bytes, [0x1f, 0x8b]) ? await flow(bytes, new DecompressionStream("gzip")) : bytes;
    const read = JSON.parse(new TextDecoder().decode(plain));
    return read.rate_hz > 0 && read.leads && Object.keys(read.leads).length ? read : null;
  } catch {
    return null;
  }
}

/** One lead at a low rate: of each piece of time the sample that stands out, so no spike is lost. */
function thinned(numbers, scale_uv, rate_hz, wanted) {
  const used = numbers.slice(0, Math.round(wanted.seconds * rate_hz));
  const known = used.filter((one) => one !== null).sort((a, b) => a - b);
  const middle = known[known.length >> 1] ?? 0;
  const step = Math.max(1, rate_hz / wanted.rate_hz);
  const found = [];
  for (let start = 0; Math.round(start) < used.length; start += step) {
    const piece = used.slice(Math.round(start), Math.round(start + step)).filter((one) => one !== null);
    const chosen = piece.reduce((best, one) => (Math.abs(one - middle) > Math.abs(best - middle) ? one : best), piece[0]);
    found.push(chosen === undefined ? null : Math.round((chosen * scale_uv) / STEP_UV));
  }
  return found;
}

function stage(read, names, wanted) {
  const scale = read.scale_uv ?? 1;
  const rate_hz = Math.min(wanted.rate_hz, read.rate_hz);
  const leads = Object.fromEntries(names.map((name) => [name, thinned(read.leads[name], scale, read.rate_hz, wanted)]));
  return JSON.stringify({ rate_hz, scale_uv: STEP_UV, started_at: read.started_at, device: read.device, leads });
}

/** A photograph as small as it can still be read: a bad link carries no five megabytes. */
async function shrunk(bytes) {
  try {
    const image = await createImageBitmap(new Blob([bytes]));
    const share = Math.min(1, SIDE / Math.max(image.width, image.height));
    const canvas = new OffscreenCanvas(Math.round(image.width * share), Math.round(image.height * share));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const small = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.7 });
    return small.size < bytes.length ? new Uint8Array(await small.arrayBuffer()) : bytes;
  } catch {
    return bytes;
  }
}

/** What is sent of a file, and in which order. */
export async function prepare(file) {
  let bytes = new Uint8Array(await file.arrayBuffer());
  const picture = PICTURES.some((head) => starts(bytes, head));
  if (picture) bytes = await shrunk(bytes);
  const read = picture ? null : await samples(bytes);
  const small = picture ? bytes : await packed(bytes);
  const whole = small.length < bytes.length ? small : bytes;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  const names = read ? Object.keys(read.leads) : [];
  return {
    name: file.name, picture, whole,
    sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    preview: read ? stage(read, [names.includes("II") ? "II" : names[0]], PREVIEW) : null,
    coarse: read ? await packed(new TextEncoder().encode(stage(read, names, COARSE))) : null,
  };
}
