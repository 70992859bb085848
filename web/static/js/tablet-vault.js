// What lies on the device is sealed: AES-GCM under a key of this device, itself sealed by the PIN.

const ROUNDS = 600_000; // OWASP's figure for PBKDF2 with SHA-256
const text = new TextEncoder();

const random = (length) => crypto.getRandomValues(new Uint8Array(length));

async function keyOfPin(pin, salt) {
  const base = await crypto.subtle.importKey("raw", text.encode(pin), "PBKDF2", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["wrapKey", "unwrapKey"],
  );
}

/** A new key, and the form in which it may lie on the device. */
export async function create(pin) {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
  const [salt, iv] = [random(16), random(12)];
  const wrapped = await crypto.subtle.wrapKey("raw", key, await keyOfPin(pin, salt), { name: "AES-GCM", iv });
  const box = { salt, iv, wrapped };
  return { box, key: await open(pin, box) };
}

/** The key, or null where the PIN is another one. */
export async function open(pin, box) {
  try {
    const by = await keyOfPin(pin, box.salt);
    return await crypto.subtle.unwrapKey(
      "raw", box.wrapped, by, { name: "AES-GCM", iv: box.iv }, "AES-GCM", false, ["encrypt", "decrypt"],
    );
  } catch {
    return null;
  }
}

/** Bytes sealed for one record: moved under another id they do not open. */
export async function seal(key, id, bytes) {
  const iv = random(12);
  const how = { name: "AES-GCM", iv, additionalData: text.encode(id) };
  return { iv, data: await crypto.subtle.encrypt(how, key, bytes) };
}

export async function unseal(key, id, sealed) {
  const how = { name: "AES-GCM", iv: sealed.iv, additionalData: text.encode(id) };
  return new Uint8Array(await crypto.subtle.decrypt(how, key, sealed.data));
}

export const sealObject = (key, id, value) => seal(key, id, text.encode(JSON.stringify(value)));
export const unsealObject = async (key, id, sealed) =>
  JSON.parse(new TextDecoder().decode(await unseal(key, id, sealed)));
