// The way: where to, when, how the hospital is told, preset phrases, the vehicle's monitor, the end.

import { h } from "./tablet-dom.js";
import * as model from "./tablet-model.js";
import { choice, group, panel } from "./tablet-panels.js";
import { clock, phrase, say, tables } from "./tablet-words.js";

const MINUTES = [3, 5, 10, 15, 20, 30, 45, 60];

/** The department the case is on the way to, as the hospital has it. */
export const going = (one) => {
  const steps = model.of(one.id).filter((item) => item.kind === "step" && item.step === "reroute" && !item.stored);
  return steps[0]?.to ?? one.summary?.unit ?? one.facts.destination;
};

function destinations(one, about, draw) {
  const known = [...about.destinations, ...(one.sent ? about.elsewhere ?? [] : [])];
  const to = (id) => async () => {
    if (id !== going(one)) await model.bringTo(one.id, id);
    draw();
  };
  return known.length > 1 ? group(say("tablet.going_to"), ...known.map(({ id, name }) =>
    choice(`to-unit-${id}`, known.some((other) => other.id !== id && other.name === name) ? `${name} (${id})` : name, going(one) === id, to(id)))) : null;
}

function phrases(one, draw) {
  const said = one.summary?.said ?? [];
  const own = model.of(one.id).filter((item) => item.kind === "say");
  const tell = (id) => async () => {
    await model.tellHospital(one.id, id);
    draw();
  };
  const line = (item) => {
    const read = said.find(({ id }) => id === item.id)?.read_back;
    const state = read ? say("tablet.heard", { by: read.by, time: clock(read.at) }) : say(`tablet.state.${model.stateOf(item)}`);
    return h("li", { class: "itemrow" }, h("time", {}, clock(item.at)), h("span", { class: "what" }, phrase(item)), h("span", { class: "qs" }, state));
  };
  const known = Object.entries(tables().phrases).filter(([, row]) => row.to === "hospital");
  return [group(say("tablet.phrases"), ...known.map(([id]) => choice(`say-${id}`, phrase({ phrase: id }), false, tell(id)))),
    own.length ? h("ul", { class: "items" }, own.slice(0, 3).map(line)) : null];
}

export function way(one, back, draw, about) {
  const { facts } = one;
  const steps = model.of(one.id).filter((item) => item.kind === "step");
  const eta = (n) => () => model.say(one.id, { eta: new Date(Math.ceil(Date.now() / 1000) * 1000 + n * 60000).toISOString() });
  const step = (name) => async () => {
    if (!steps.some((item) => item.step === name)) await model.addStep(one.id, name);
    back();
  };
  const done = (name) => steps.find((item) => item.step === name);
  const attach = async () => {
    await model.attach(one.id);
    draw();
  };
  return panel("way", say("tablet.way"), back,
    destinations(one, about, draw),
    group(say("tablet.notify"), ...["alert", "advice", "information"].map((kind) => choice(`notify-${kind}`, say(`tablet.notify.${kind}`), facts.notify === kind, () => model.say(one.id, { notify: kind })))),
    group(say("tablet.own_colour"), ...["red", "yellow", "green"].map((colour) => choice(`own-${colour}`, say(`colour.${colour}`), facts.crew_colour === colour, () => model.say(one.id, { crew_colour: facts.crew_colour === colour ? null : colour })))),
    group(facts.eta ? say("tablet.eta_at", { time: clock(facts.eta) }) : say("tablet.eta"), ...MINUTES.map((n) => choice(`eta-${n}`, say("tablet.minutes", { n }), false, eta(n)))),
    ...phrases(one, draw),
    model.hasMonitor() ? group(say("tablet.monitor"), choice("monitor", say("tablet.monitor_here"), model.monitored() === one.id, attach)) : null,
    group(say("tablet.end"), choice("arrival", say("tablet.arrived"), done("arrival"), step("arrival")), choice("cancellation", say("tablet.cancelled"), done("cancellation"), step("cancellation"))));
}

/** The crew is within the department's radius and has not said so: one press. */
export function atTheDoor(one) {
  const at = one.summary?.at_the_door;
  if (!at || model.of(one.id).some((item) => item.kind === "step" && item.step === "arrival")) return null;
  return h("section", { class: "told", "data-part": "door", "aria-label": say("tablet.at_door_title") },
    h("p", {}, say("tablet.at_door", { time: clock(at) }), h("button", { type: "button", class: "primary", "data-key": "door-arrival", onclick: () => model.addStep(one.id, "arrival") }, say("tablet.arrived"))));
}
