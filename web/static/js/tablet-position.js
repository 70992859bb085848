// Where the vehicle is, while a case is on its way: rarely, and only to the hospital it goes to.

import * as model from "./tablet-model.js";

const EVERY_MS = 30_000;
let last = 0;

const take = ({ coords, timestamp }) => {
  if (Date.now() - last < EVERY_MS) return;
  const coming = model.active().filter((one) => one.sent && (one.summary?.step ?? "coming") === "coming");
  if (!coming.length) return;
  last = Date.now();
  const position = { latitude: coords.latitude, longitude: coords.longitude, accuracy_m: Math.round(coords.accuracy), at: new Date(timestamp).toISOString() };
  for (const one of coming) model.say(one.id, { position });
};

/** Whoever runs the tablet allows it in the browser; without it nothing is missing but the estimate. */
export function watch() {
  navigator.geolocation?.watchPosition(take, () => {}, { enableHighAccuracy: true, maximumAge: 20_000 });
}
