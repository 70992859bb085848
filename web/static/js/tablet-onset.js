// When the symptoms began: exact, estimated, last known well, or not known; never guessed.

import { h } from "./tablet-dom.js";
import * as model from "./tablet-model.js";
import { choice, panel } from "./tablet-panels.js";
import { clock, say } from "./tablet-words.js";

const KINDS = ["exact", "estimated", "last_known_well"];
const MINUTES = [0, 15, 30, 60, 120, 180, 240, 360, 720];
const DAY_MS = 86_400_000;
const chosen = {};

const said = (id) => model.of(id).filter((item) => item.kind === "thing" && item.what === "onset" && !item.withdrawn);

/** `estimated 12:10`, as it was said last; nothing where nobody said it. */
export function began(id) {
  const [item] = said(id);
  if (!item) return "";
  const how = say(`tablet.onset.${item.said.how}`);
  return item.said.since ? `${how} ${clock(item.said.since)}` : how;
}

/** The last time that the clock stood there: a later hour than now was yesterday. */
function last(text) {
  const [hours, minutes] = text.split(":").map(Number);
  const at = new Date();
  at.setHours(hours, minutes, 0, 0);
  return at.getTime() > Date.now() ? at.getTime() - DAY_MS : at.getTime();
}

export function onset(one, back, draw) {
  const how = chosen[one.id] ?? "estimated";
  const keep = (ms) => async () => {
    await model.addThing(one.id, "onset", { how, since: new Date(Math.floor(ms() / 60000) * 60000).toISOString() });
    back();
  };
  const unknown = async () => {
    await model.addThing(one.id, "onset", { how: "unknown" });
    back();
  };
  const typed = (event) => { if (event.target.value) keep(() => last(event.target.value))(); };
  const words = began(one.id);
  return panel("onset", say("tablet.onset"), back,
    h("p", {}, words || say("tablet.onset.nobody")),
    h("div", { class: "choices" }, KINDS.map((kind) => choice(`onset-${kind}`, say(`tablet.onset.${kind}`), how === kind, () => { chosen[one.id] = kind; draw(); })),
      choice("onset-unknown", say("tablet.onset.unknown"), said(one.id)[0]?.said.how === "unknown", unknown)),
    h("div", { class: "choices" }, MINUTES.map((n) => choice(`ago-${n}`, !n ? say("tablet.onset.now") : n < 60 ? say("tablet.onset.minutes_ago", { n }) : say("tablet.onset.hours_ago", { n: n / 60 }), false, keep(() => Date.now() - n * 60000)))),
    h("label", { class: "typed" }, say("tablet.onset.at"), h("input", { type: "time", "data-key": "onset-at", onchange: typed })));
}
