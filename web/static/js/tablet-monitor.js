// Values of the vehicle's monitor: whatever reads it on this device says them on a channel.

import { h } from "./tablet-dom.js";
import * as model from "./tablet-model.js";
import { say } from "./tablet-words.js";

const CHANNEL = "vehicle-monitor";
const MOST = 64; // values of one message
const RECENT_MS = 60_000;
let lostAt = -Infinity; // when it last said something of nobody's

const usable = (one) =>
  one && typeof one.code === "string" && one.code.length <= 64 && (typeof one.value === "number" || typeof one.value === "string");

/** Values `{values: [{code, value, unit, at?}]}` go to the case that the monitor is on, else nowhere. */
export function listen(monitored) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    const values = (Array.isArray(data?.values) ? data.values : []).filter(usable).slice(0, MOST);
    if (!values.length) return;
    model.monitorSpoke();
    const to = monitored();
    if (to) model.addValues(to, values.map(({ code, value, unit = "", at }) => ({ code, value, unit, at, from: "monitor" })));
    else lostAt = performance.now();
  };
}

/** The monitor measures somebody and nobody has said whom: its values are kept nowhere. */
export function loose(one) {
  if (model.monitored() || performance.now() - lostAt > RECENT_MS) return null;
  return h("section", { class: "told", "data-part": "loose", "aria-label": say("tablet.monitor") },
    h("p", {}, say("tablet.monitor_loose"), h("button", { type: "button", class: "primary", "data-key": "attach", onclick: () => model.attach(one.id) }, say("tablet.monitor_here"))));
}
