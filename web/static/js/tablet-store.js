// The device's own store: IndexedDB, one row a record; nothing of a patient stands in it unsealed.

import * as vault from "./tablet-vault.js";

const NAME = "tablet";
let database = null;
let key = null;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export async function begin() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("meta", { keyPath: "name" });
    request.result.createObjectStore("records", { keyPath: "id" });
  };
  database = await done(request);
  navigator.storage?.persist?.();
}

/** On disk when the promise is kept, not only handed over. */
function write(store, act) {
  const transaction = database.transaction(store, "readwrite", { durability: "strict" });
  act(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

export const meta = async (name) =>
  (await done(database.transaction("meta").objectStore("meta").get(name)))?.value ?? null;
export const setMeta = (name, value) => write("meta", (store) => store.put({ name, value }));

/** Whether this device was paired once. */
export const known = async () => (await meta("vault")) !== null;

/** How many records lie here, under whatever PIN. */
export const count = () => done(database.transaction("records").objectStore("records").count());

/** A new vault under a PIN: what lay under a former one cannot be read any more. */
export async function found(pin) {
  const made = await vault.create(pin);
  await write("records", (store) => store.clear());
  await setMeta("vault", made.box);
  key = made.key;
}

/** Whether the PIN opens it. After another PIN the open store stays open: what waits goes on. */
export async function unlock(pin) {
  const opened = await vault.open(pin, await meta("vault"));
  key = opened ?? key;
  return opened !== null;
}

export async function setSecret(name, value) {
  await setMeta(name, await vault.sealObject(key, name, value));
}

export async function secret(name) {
  const sealed = await meta(name);
  return sealed ? vault.unsealObject(key, name, sealed) : null;
}

/** Keeps records `{id, …}`; `bytes` of a record are sealed as they are. */
export async function keep(...records) {
  const rows = await Promise.all(
    records.map(async ({ id, bytes, ...rest }) => ({
      id,
      raw: Boolean(bytes),
      ...(bytes ? await vault.seal(key, id, bytes) : await vault.sealObject(key, id, rest)),
    })),
  );
  await write("records", (store) => rows.forEach((row) => store.put(row)));
}

/** Every record that is no file. */
export async function all() {
  const rows = await done(database.transaction("records").objectStore("records").getAll());
  const opened = rows.filter((row) => !row.raw).map(async (row) => {
    try {
      return { id: row.id, ...(await vault.unsealObject(key, row.id, row)) };
    } catch {
      return null; // of a former vault
    }
  });
  return (await Promise.all(opened)).filter(Boolean);
}

export async function bytes(id) {
  const row = await done(database.transaction("records").objectStore("records").get(id));
  return row ? vault.unseal(key, id, row) : null;
}

export const forget = (...ids) => write("records", (store) => ids.forEach((id) => store.delete(id)));
