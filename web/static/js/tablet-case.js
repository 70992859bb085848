// The screen of one case: whom one types for, what the hospital says, the values, what waits.

import { h, icon, shape } from "./tablet-dom.js";
import * as model from "./tablet-model.js";
import * as pad from "./tablet-pad.js";
import { nowMs } from "./tablet-clock.js";
import { refusal } from "./tablet-jobs.js";
import { clinical, clock, complaint, item, number, phrase, say, tables } from "./tablet-words.js";

export const WHERE = { here: "phone", hospital: "plug", seen: "tick", refused: "cross", clock: "clock" };
const LEVELS = ["A", "V", "P", "U"];

/** `F 61`, as far as it is known. */
export function person(facts) {
  const sex = facts.sex === "unknown" ? say("tablet.sex.unknown") : say(`sex.${facts.sex}`);
  const age = facts.age_years ?? null;
  if (facts.age_days != null && facts.age_years == null) return `${sex} ${say("tablet.days", { n: facts.age_days })}`;
  if (age !== null) return `${sex} ${facts.age_estimated ? "~" : ""}${number(age)}`;
  return facts.age_band ? `${sex} ${say(`tablet.band.${facts.age_band}`)}` : `${sex} ?`;
}

/** Whom one types for, in one line: never without the code word. */
export const whom = (one) => `${person(one.facts)} · ${one.facts.code_word}`;

export const colourOf = (one) => one.summary?.decided ?? one.summary?.proposed ?? "incomplete";

export function mark(one) {
  const colour = colourOf(one);
  const solid = Boolean(one.summary?.decided);
  const said = `${say(`colour.${colour}`)}, ${solid ? one.summary.decided_by : say("ed.suggested")}`;
  return shape(colour, solid, say(`letter.${colour}`), said);
}

/** Where an item is, in words and a sign. */
export function where(item) {
  const state = model.stateOf(item);
  const at = state === "seen" ? model.cases.get(item.shownAt ?? item.case)?.summary?.seen?.at : item.stored || item.at;
  return h("span", { class: "qs", "data-state": state }, icon(WHERE[state]), " ", say(`tablet.state.${state}`), ` ${clock(at)}`);
}

export function tabs(current, open, add) {
  return h("nav", { class: "cases", "data-part": "cases", "aria-label": say("tablet.cases") },
    model.active().map((one) => h("button", { type: "button", "data-key": `case-${one.id}`, "aria-current": one.id === current ? "true" : null, onclick: () => open(one.id) },
      mark(one), h("span", {}, whom(one)))),
    h("button", { type: "button", "data-key": "new", class: model.active().length ? "" : "primary", onclick: add }, say("tablet.new")));
}

const reason = ({ code, text, value }) => {
  const named = clinical(code);
  const title = named === code ? text ?? code : named;
  return typeof value === "number" ? `${title} ${number(value)}` : title;
};

export function proposal(one, panel) {
  const told = one.summary;
  const colour = colourOf(one);
  const heard = told?.heard?.at(-1);
  const eta = one.facts.eta ? Math.ceil((Date.parse(one.facts.eta) - nowMs()) / 60000) : null;
  const how = told?.decided ? h("b", {}, told.decided_by) : h("span", { class: "by", "data-by": "system" }, told ? say("ed.suggested") : say("tablet.not_yet"));
  return h("section", { class: "prop", "data-part": "prop", "aria-label": say("tablet.proposal") },
    mark(one),
    h("div", {},
      h("p", { class: "p1" }, h("b", {}, say(`colour.${colour}`)), " ", how, " ", (told?.reasons ?? []).slice(0, 3).map(reason).join(" · ")),
      told?.missing?.length ? h("p", { class: "p3" }, say("tablet.missing", { what: told.missing.slice(0, 3).map(clinical).join(", ") })) : null,
      h("p", { class: "p2" }, [heard && say("tablet.heard", { by: heard.by, time: clock(heard.at) }), told?.seen && say("tablet.seen_by", { by: told.seen.by, time: clock(told.seen.at) }),
        (told?.care ?? []).map((kind) => say(`care.${kind}`)).join(", "), ...ready(told), (told?.places ?? []).join(", ")].filter(Boolean).join(" · "))),
    h("button", { type: "button", class: "etaT", "data-key": "eta", onclick: () => panel("way") },
      h("b", {}, eta === null ? "–" : String(eta)), h("span", {}, say("tablet.min_left"))));
}

/** The hospital does not take this case: in red, for as long as that is so. */
export function notTaken(one) {
  const status = refusal(one.id);
  return status ? h("section", { class: "told bad", "data-part": "refused" }, h("p", {}, icon("cross"), " ", h("b", {}, say("tablet.not_taken", { n: status })))) : null;
}

/** The hospital has ended the case: nothing is typed for it, and nobody else is shown in its place. */
export const ended = (one) => h("main", { class: "empty", "data-part": "main" }, h("section", { class: "told", "data-part": "ended" },
  h("h2", {}, whom(one)), h("p", {}, h("b", {}, say("tablet.ended")), " ", one.joined ? say("tablet.moved") : say(`desk.state.${one.summary.step}`)),
  h("p", {}, say(model.active().length ? "tablet.choose" : "tablet.empty"))));

/** What the department says to the crew, until it is read back. */
export function said(one) {
  const open = (one.summary?.messages ?? []).filter(({ id }) => !model.isRead(id));
  return open.length ? h("section", { class: "told", "data-part": "told", "aria-label": say("tablet.told") },
    open.map((message) => h("p", {}, h("b", {}, phrase(message)), ` ${message.by} ${clock(message.at)} `,
      h("button", { type: "button", class: "primary", "data-key": `read-${message.id}`, onclick: () => model.readBack(one.id, message.id) }, say("tablet.read_back"))))) : null;
}

const ready = (told) => (told?.ready ?? []).map((one) => `${item(one.pathway, one.item)} ${clock(one.at)}${one.note ? ` (${one.note})` : ""}`);

export function who(one, panel) {
  const what = one.facts.complaint ? complaint(one.facts.complaint) : say("tablet.no_complaint");
  const button = (name, words) => h("button", { type: "button", "data-key": `to-${name}`, onclick: () => panel(name) }, words);
  return h("section", { class: "who", "data-part": "who" }, h("h2", {}, `${whom(one)} · ${what}`),
    h("div", { class: "acts" }, button("person", say("tablet.person")), button("complaint", say("tablet.complaint")), button("onset", say("tablet.onset"))));
}

function value(one, name, found, draw) {
  const parts = pad.FIELDS[name].map((key) => found.get(tables().vitals[key].code));
  const known = parts.every(Boolean);
  const typed = pad.typing(one.id, name);
  const shown = typed ? h("em", { class: "cur" }, number(typed)) : known ? parts.map((part) => number(part.value)).join("/") : "–";
  return h("button", { type: "button", class: "vb", "data-key": `v-${name}`, "aria-pressed": String(pad.field(one.id) === name), onclick: () => pad.choose(one.id, name, draw) },
    h("span", { class: "l" }, say(`tablet.v.${name}`), " ", h("i", {}, say(`tablet.u.${name}`))),
    h("span", { class: "n" }, shown),
    typed ? h("span", { class: "qs" }, say("tablet.typing")) : known ? where(parts[0]) : h("span", { class: "qs" }, say(pad.unmeasured(one, name) ? "tablet.not_measured" : "tablet.not_typed")));
}

export function values(one, draw) {
  const found = model.newest(one.id);
  return h("section", { class: "vitg", "data-part": "values", "aria-label": say("tablet.values") }, Object.keys(pad.FIELDS).map((name) => value(one, name, found, draw)));
}

export function consciousness(one, panel) {
  const found = model.newest(one.id);
  const { avpu, gcs } = tables().vitals;
  const said = found.get(avpu.code);
  const score = found.get(gcs.code);
  const air = one.facts.on_oxygen === true;
  return h("section", { class: "av", "data-part": "av", "aria-label": say("tablet.consciousness") },
    h("div", { class: "seg4" },
      LEVELS.map((level) => h("button", { type: "button", "data-key": `avpu-${level}`, "aria-pressed": String(said?.value === level), onclick: () => model.addValues(one.id, [{ code: avpu.code, unit: "", value: level }]) },
        h("b", {}, level), h("span", {}, say(`tablet.avpu.${level}`)))),
      h("button", { type: "button", "data-key": "to-gcs", onclick: () => panel("gcs") }, h("b", {}, score ? number(score.value) : say("tablet.v.gcs")), h("span", {}, say("tablet.gcs"))),
      h("button", { type: "button", "data-key": "oxygen", "aria-pressed": String(air), onclick: () => model.say(one.id, { on_oxygen: !air }) },
        h("b", {}, "O₂"), h("span", {}, air ? say("tablet.oxygen_on") : one.facts.on_oxygen === false ? say("tablet.oxygen_off") : say("tablet.oxygen_unknown")))));
}

/** How much is where: the whole queue of this case in one line. */
export function queue(one, panel) {
  const own = model.of(one.id).filter((item) => item.kind !== "move");
  const counted = { here: one.rev > one.sent ? 1 : 0, hospital: 0, seen: 0, refused: 0, clock: 0 };
  for (const item of own) counted[model.stateOf(item)] += 1;
  const line = (state) => h("li", { "data-state": state }, icon(WHERE[state]), " ", h("b", { "data-count": state }, `${say(`tablet.state.${state}`)} ${counted[state]}`));
  return h("section", { class: "queue2", "data-part": "queue", "aria-label": say("tablet.queue") },
    h("ul", {}, line("here"), line("hospital"), line("seen"), counted.refused ? line("refused") : null, counted.clock ? line("clock") : null),
    h("button", { type: "button", "data-key": "to-items", onclick: () => panel("items") }, say("tablet.items")));
}

export function foot(one, panel) {
  const own = model.of(one.id);
  const things = (what) => own.filter((item) => item.kind === "thing" && item.what === what && !item.withdrawn).length;
  const signs = (one.facts.signs ?? []).length;
  const button = (name, count) => h("button", { type: "button", "data-key": `to-${name}`, onclick: () => panel(name) }, say(`tablet.${name}`), count ? h("b", {}, ` ${count}`) : null);
  return h("footer", { class: "tfoot", "data-part": "foot" },
    button("signs", signs), button("treatments", things("treatment")), button("ecg", own.filter((item) => item.kind === "ecg").length),
    button("limits", things("limit")), button("allergies", things("allergy")), button("atmist", 0),
    h("button", { type: "button", class: "primary", "data-key": "to-way", onclick: () => panel("way") }, say("tablet.way")));
}
