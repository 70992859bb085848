// Values of the vehicle's monitor: whatever reads it on this device says them on a channel.

import * as model from "./tablet-model.js";

const CHANNEL = "vehicle-monitor";
const MOST = 64; // values of one message

const usable = (one) =>
  one && typeof one.code === "string" && one.code.length <= 64 && (typeof one.value === "number" || typeof one.value === "string");

/** Values `{values: [{code, value, unit, at?}]}` go to the case that is open. */
export function listen(caseNow) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    const to = caseNow();
    const values = (Array.isArray(data?.values) ? data.values : []).filter(usable).slice(0, MOST);
    if (to && values.length) model.addValues(to, values.map(({ code, value, unit = "", at }) => ({ code, value, unit, at, from: "monitor" })));
  };
}
