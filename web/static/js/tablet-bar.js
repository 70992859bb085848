// The header: whose tablet, and in words whether what is typed leaves it.

import { clock as theirs, nowMs } from "./tablet-clock.js";
import { h, icon } from "./tablet-dom.js";
import { link, silent } from "./tablet-link.js";
import * as model from "./tablet-model.js";
import { clock, say } from "./tablet-words.js";

const CLOCK_MS = 30_000; // from here on it is said

function linkWords() {
  if (link.state === "revoked") return say("tablet.revoked");
  if (link.state === "linked") return silent() ? say("tablet.silent", { n: silent() }) : say("tablet.linked");
  return say("tablet.away", { n: Math.floor((Date.now() - link.since) / 60000) });
}

/** What is wrong with this tablet, each in one line. */
function troubles() {
  const off = Math.abs(theirs.offset) > CLOCK_MS ? say("tablet.clock_off", { n: Math.round(Math.abs(theirs.offset) / 1000) }) : "";
  const full = model.disk.fault ? say("tablet.cannot_store", { what: model.disk.fault }) : "";
  const fault = link.fault ? say("tablet.fault", { what: link.fault }) : "";
  return [[off, "clock"], [full, "cross"], [fault, "cross"]].filter(([words]) => words);
}

export function bar(crew, demo, acts) {
  const waiting = [...model.items.values()].filter((item) => !item.stored).length;
  const well = link.state === "linked" && !silent();
  return h("header", { class: "tbar", "data-part": "bar" },
    h("h1", {}, crew), demo ? h("span", { class: "demo" }, say("tablet.demo")) : null,
    h("p", { class: "net", "data-link": well ? "linked" : link.state === "linked" ? "silent" : link.state }, icon(well ? "tick" : "phone"), " ", h("b", {}, linkWords()),
      link.state === "away" ? h("span", {}, ` ${say("tablet.kept", { n: waiting })}`) : null),
    link.state === "revoked" ? h("button", { type: "button", class: "primary", "data-key": "pair", onclick: acts.pair }, say("tablet.pair")) : null,
    troubles().map(([words, sign]) => h("p", { class: "net", "data-link": "away" }, icon(sign), " ", words)),
    h("button", { type: "button", "data-key": "language", lang: acts.other, onclick: acts.speak }, say("tablet.language")),
    h("button", { type: "button", "data-key": "theme", onclick: acts.theme }, say("tablet.theme")),
    h("button", { type: "button", "data-key": "lock", onclick: acts.lock }, say("tablet.lock")),
    h("time", { class: "clock" }, clock(nowMs())));
}
