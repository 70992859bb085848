// What is entered seldom: person, complaint, signs, consciousness in points.

import { h } from "./tablet-dom.js";
import * as model from "./tablet-model.js";
import { clinical, complaint, current, say, tables } from "./tablet-words.js";

const AGES = ["lt8d", "lt2m", "lt12y", "12to50y", "gt50y"];
const GCS = { gcs_e: 4, gcs_v: 5, gcs_m: 6 };
const CHILD_YEARS = 12;
const points = {};
const sought = { words: "" };

export const choice = (key, words, pressed, act) =>
  h("button", { type: "button", class: "choice", "data-key": key, "aria-pressed": String(Boolean(pressed)), onclick: act }, words);

/** A panel with its way back; what was chosen is kept at once. */
export const panel = (name, title, back, ...content) =>
  h("section", { class: "panel2", "data-part": "panel", "data-panel": name, "aria-labelledby": "panel-title" },
    h("div", { class: "panelhead" }, h("h2", { id: "panel-title", tabindex: -1 }, title),
      h("button", { type: "button", class: "primary", "data-key": "back", onclick: back }, say("tablet.done"))),
    ...content);

export const group = (words, ...choices) => h("fieldset", { class: "group" }, h("legend", {}, words), h("div", { class: "choices" }, ...choices));

const field = (key, words, value, act, more = {}) =>
  h("label", { class: "typed" }, words, h("input", { "data-key": key, value: value ?? "", autocomplete: "off", maxlength: 200, onchange: (event) => act(event.target.value.trim()), ...more }));

export function person(one, back) {
  const { facts } = one;
  const say_ = (change) => model.say(one.id, change);
  const years = (text) => {
    const typed = Number(text.replace(",", "."));
    if (text && typed >= 0 && typed <= 130) say_({ age_years: typed, age_band: null, age_days: null });
  };
  return panel("person", say("tablet.person"), back,
    group(say("tablet.sex"), ...["F", "M", "unknown"].map((sex) => choice(`sex-${sex}`, say(`tablet.sexes.${sex}`), facts.sex === sex, () => say_({ sex })))),
    group(say("tablet.age"), ...AGES.filter((band) => tables().bands.includes(band)).map((band) =>
      choice(`band-${band}`, say(`tablet.band.${band}`), facts.age_band === band && facts.age_years == null, () => say_({ age_band: band, age_years: null, age_days: null })))),
    field("years", say("tablet.years"), facts.age_years, years, { inputmode: "numeric" }),
    choice("estimated", say("tablet.estimated"), facts.age_estimated, () => say_({ age_estimated: !facts.age_estimated })),
    facts.sex === "F" ? group(say("tablet.pregnant"), choice("preg-yes", say("tablet.yes"), facts.pregnant === true, () => say_({ pregnant: true })), choice("preg-no", say("tablet.no"), facts.pregnant === false, () => say_({ pregnant: false }))) : null,
    field("word", say("tablet.code_word"), facts.code_word, (text) => text && say_({ code_word: text })));
}

export function complaints(one, back, draw) {
  const all = tables().complaints;
  const found = all.filter(({ label }) => label[current()].toLowerCase().includes(sought.words.toLowerCase()));
  const take = (id) => async () => {
    await model.say(one.id, { complaint: id });
    sought.words = "";
    back();
  };
  return panel("complaint", say("tablet.complaint"), back,
    h("label", { class: "typed" }, say("tablet.search"), h("input", { "data-key": "search", autocomplete: "off", oninput: (event) => { sought.words = event.target.value; draw(); } })),
    h("div", { class: "choices" }, ...found.slice(0, 24).map(({ id }) => choice(`complaint-${id}`, complaint(id), one.facts.complaint === id, take(id)))),
    field("mechanism", say("tablet.mechanism"), one.facts.mechanism, (text) => model.say(one.id, { mechanism: text || null })),
    field("injuries", say("tablet.injuries"), one.facts.injuries, (text) => model.say(one.id, { injuries: text || null })));
}

/** Which chart holds: the child's below twelve, both where the age is not known. */
export function charts(facts) {
  if (facts.age_years != null) return facts.age_years < CHILD_YEARS ? ["child"] : ["adult"];
  if (facts.age_days != null) return ["child"];
  if (facts.age_band) return ["lt8d", "lt2m", "lt12y"].includes(facts.age_band) ? ["child"] : ["adult"];
  return ["adult", "child"];
}

export function signs(one, back) {
  const { facts } = one;
  const held = charts(facts);
  const asked = new Set(tables().complaints.find(({ id }) => id === facts.complaint)?.ask[held[0]] ?? []);
  const red = new Set(held.flatMap((chart) => tables().red[chart]));
  const ticked = new Set(facts.signs ?? []);
  const fits = ({ id, charts: on }) => on.some((chart) => held.includes(chart)) &&
    (!id.startsWith("preg") || facts.pregnant === true || (facts.sex !== "M" && facts.pregnant !== false));
  const able = tables().signs.filter((sign) => ticked.has(sign.id) || fits(sign)); // what is said stays in sight
  const rank = ({ id }) => (asked.has(id) ? 0 : red.has(id) ? 1 : 2);
  able.sort((a, b) => rank(a) - rank(b));
  const tick = (id) => () => {
    const now = new Set(model.cases.get(one.id).facts.signs ?? []);
    if (!now.delete(id)) now.add(id);
    model.say(one.id, { signs: [...now] });
  };
  const part = (words, wanted) => {
    const some = able.filter((sign) => rank(sign) === wanted);
    return some.length ? group(words, ...some.map(({ id }) => choice(`sign-${id}`, clinical(id), ticked.has(id), tick(id)))) : null;
  };
  return panel("signs", say("tablet.signs"), back,
    choice("sign-none", say("tablet.no_signs"), facts.signs?.length === 0, () => model.say(one.id, { signs: [] })),
    part(say("tablet.signs_asked"), 0), part(say("tablet.signs_red"), 1), part(say("tablet.signs_other"), 2));
}

export function gcs(one, back, draw) {
  const { vitals } = tables();
  const chosen = (key) => (points[one.id] ?? {})[key];
  const take = (key, n) => async () => {
    points[one.id] = { ...points[one.id], [key]: n };
    const all = Object.keys(GCS).map((part) => chosen(part));
    if (all.every(Boolean)) {
      const value = (name, number) => ({ code: vitals[name].code, unit: vitals[name].unit, value: number });
      await model.addValues(one.id, [...Object.keys(GCS).map((part) => value(part, chosen(part))), value("gcs", all[0] + all[1] + all[2])]);
      delete points[one.id];
      back();
    } else draw();
  };
  return panel("gcs", say("tablet.gcs_build"), back,
    ...Object.entries(GCS).map(([key, most]) => group(say(`tablet.${key}`),
      ...Array.from({ length: most }, (_, index) => most - index).map((n) => choice(`${key}-${n}`, `${n} ${say(`tablet.${key}.${n}`)}`, chosen(key) === n, take(key, n))))));
}
