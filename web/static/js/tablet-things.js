// What was done and agreed: treatments, limits, ECGs, the summary, and every item with its place.

import { h, icon } from "./tablet-dom.js";
import * as model from "./tablet-model.js";
import { choice, panel } from "./tablet-panels.js";
import { where, whom } from "./tablet-case.js";
import { prepare } from "./tablet-ecg.js";
import { began } from "./tablet-onset.js";
import { clinical, clock, complaint, number, phrase, say, tables } from "./tablet-words.js";

const TREATMENTS = ["oxygen", "access", "fluid", "adrenaline", "aspirin", "analgesia", "airway", "cpr", "shock", "tourniquet", "splint", "glucose"];
const LIMITS = ["no_cpr", "no_intubation", "comfort"];
const picked = new Set();
const typed = {};
let reading = "";

const row = (item, words, ...acts) =>
  h("li", { class: "itemrow", "data-item": item.id, "data-withdrawn": item.withdrawn ? "" : null }, h("time", {}, clock(item.at)), h("span", { class: "what" }, words), where(item), ...acts);

const takeBack = (item) => (item.withdrawn ? h("span", { class: "late" }, say("tablet.taken_back")) :
  h("button", { type: "button", "data-key": `undo-${item.id}`, onclick: () => model.withdraw(item.id) }, say("tablet.take_back")));

const list = (one, what, words) =>
  h("ul", { class: "items" }, model.of(one.id).filter((item) => item.kind === "thing" && item.what === what).map((item) => row(item, words(item), takeBack(item))));

const input = (key, words) =>
  h("label", { class: "typed" }, words, h("input", { "data-key": key, value: typed[key] ?? "", maxlength: 200, autocomplete: "off", oninput: (event) => { typed[key] = event.target.value; } }));

const clear = (...keys) => {
  for (const key of keys) {
    delete typed[key];
    const node = document.querySelector(`[data-key="${key}"]`);
    if (node) node.value = "";
  }
};

/** What was typed and not filed belongs to nobody else: gone with the panel. */
export function forget() {
  for (const key of Object.keys(typed)) delete typed[key];
  picked.clear();
  reading = "";
}

const told = (said) => [said.what, said.dose, said.route].filter(Boolean).join(", ");

export function treatments(one, back) {
  const add = (what, dose) => model.addThing(one.id, "treatment", { what, ...(dose ? { dose } : {}) });
  const own = () => {
    if (typed.what?.trim()) add(typed.what.trim(), typed.dose?.trim());
    clear("what", "dose");
  };
  return panel("treatments", say("tablet.treatments"), back,
    h("div", { class: "choices" }, TREATMENTS.map((name) => choice(`do-${name}`, say(`tablet.do.${name}`), false, () => add(say(`tablet.do.${name}`))))),
    h("div", { class: "line" }, input("what", say("tablet.what")), input("dose", say("tablet.dose")), h("button", { type: "button", "data-key": "add-treatment", onclick: own }, say("tablet.add"))),
    list(one, "treatment", (item) => told(item.said)));
}

export function limits(one, back) {
  const add = (what) => {
    const said = { what };
    if (typed.by?.trim()) said.who = typed.by.trim();
    if (typed.until?.trim()) said.until = typed.until.trim();
    model.addThing(one.id, "limit", said);
    clear("limit", "by", "until");
  };
  return panel("limits", say("tablet.limits"), back,
    h("div", { class: "line" }, input("by", say("tablet.limit_who")), input("until", say("tablet.limit_until"))),
    h("div", { class: "choices" }, LIMITS.map((name) => choice(`limit-${name}`, say(`tablet.limit.${name}`), false, () => add(say(`tablet.limit.${name}`))))),
    h("div", { class: "line" }, input("limit", say("tablet.what")), h("button", { type: "button", "data-key": "add-limit", onclick: () => typed.limit?.trim() && add(typed.limit.trim()) }, say("tablet.add"))),
    list(one, "limit", ({ said }) => [said.what, said.who, said.until].filter(Boolean).join(" · ")));
}

const allergy = (said) => [said.none_known ? say("tablet.allergy.none") : said.what, said.reaction && `(${said.reaction})`, said.who].filter(Boolean).join(" ");

/** What somebody says of allergies, or that there are none: it goes with the patient to the ward. */
export function allergies(one, back) {
  const by = () => (typed.by?.trim() ? { who: typed.by.trim() } : {});
  const add = () => {
    if (!typed.allergy?.trim()) return;
    const reaction = typed.reaction?.trim();
    model.addThing(one.id, "allergy", { what: typed.allergy.trim(), ...(reaction ? { reaction } : {}), ...by() });
    clear("allergy", "reaction", "by");
  };
  const none = () => {
    model.addThing(one.id, "allergy", { none_known: true, ...by() });
    clear("by");
  };
  return panel("allergies", say("tablet.allergies"), back,
    h("div", { class: "choices" }, choice("no-allergies", say("tablet.allergy.none"), false, none)),
    h("div", { class: "line" }, input("allergy", say("tablet.what")), input("reaction", say("tablet.allergy.reaction")), input("by", say("tablet.allergy.who")),
      h("button", { type: "button", "data-key": "add-allergy", onclick: add }, say("tablet.add"))),
    list(one, "allergy", (item) => allergy(item.said)));
}

export function ecg(one, back, draw) {
  const take = async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    reading = say("tablet.ecg_reading");
    draw();
    try {
      await model.addEcg(one.id, await prepare(file));
      reading = "";
    } catch (error) {
      reading = say("tablet.ecg_not_kept", { what: error.name });
    }
    draw();
  };
  const progress = (item) => {
    const left = item.gap.reduce((sum, [start, end]) => sum + end - start, 0);
    const share = Math.round((100 * (item.size - left)) / item.size);
    const stage = item.stored ? "" : item.reached ? `${say(`tablet.ecg.${item.reached}`)} · ` : "";
    return `${item.name} · ${stage}${say("tablet.percent", { n: share })}${item.picture ? ` · ${say("tablet.ecg_picture")}` : ""}`;
  };
  return panel("ecg", say("tablet.ecg"), back,
    h("label", { class: "file" }, say("tablet.ecg_file"), h("input", { type: "file", "data-key": "ecg-file", onchange: take })),
    h("p", { class: "late" }, reading),
    h("ul", { class: "items" }, model.of(one.id).filter((item) => item.kind === "ecg").map((item) => row(item, progress(item)))));
}

const shown = (one, key) => {
  const found = model.newest(one.id).get(tables().vitals[key].code);
  return found ? `${say(`tablet.v.${{ nibp_sys: "bp", nibp_dia: "bp" }[key] ?? key}`)} ${number(found.value)} (${clock(found.at)})` : null;
};

/** Age, time, mechanism, injuries, signs, treatment: to be read aloud. */
export function atmist(one, back) {
  const { facts } = one;
  const things = (what) => model.of(one.id).filter((item) => item.kind === "thing" && item.what === what && !item.withdrawn).reverse();
  const vitals = ["hr", "nibp_sys", "spo2", "rr", "temp", "glucose", "gcs", "avpu"].map((key) => shown(one, key)).filter(Boolean);
  const rows = {
    a: whom(one), t: [began(one.id) && `${say("tablet.onset")}: ${began(one.id)}`, say("tablet.since", { time: clock(one.opened) }), facts.eta && say("tablet.eta_at", { time: clock(facts.eta) })].filter(Boolean).join(" · "),
    m: [facts.complaint && complaint(facts.complaint), facts.mechanism].filter(Boolean).join(" · "), i: facts.injuries ?? "",
    s: [...vitals, ...(facts.signs ?? []).map(clinical), facts.on_oxygen ? say("tablet.oxygen_on") : null].filter(Boolean).join(" · "),
    x: [...things("treatment"), ...things("limit")].map((item) => `${clock(item.at)} ${told(item.said)}`)
      .concat(things("allergy").map((item) => `${say("tablet.allergies")}: ${allergy(item.said)}`)).join(" · "),
  };
  return panel("atmist", "ATMIST", back, h("dl", { class: "atmist" }, Object.entries(rows).map(([key, words]) => h("div", {}, h("dt", {}, say(`tablet.atmist.${key}`)), h("dd", {}, words || "–")))));
}

const VALUE_NAMES = { "8867-4": "hr", "8480-6": "bp", "8462-4": "bp", "59408-5": "spo2", "9279-1": "rr", "8310-5": "temp", "15074-8": "glucose" };
const named = (item) => {
  if (item.kind === "value") return `${VALUE_NAMES[item.code] ? say(`tablet.v.${VALUE_NAMES[item.code]}`) : codeName(item.code)} ${number(item.value)}`;
  if (item.kind === "thing" && item.what === "onset") return `${say("tablet.onset")}: ${say(`tablet.onset.${item.said.how}`)}${item.said.since ? ` ${clock(item.said.since)}` : ""}`;
  if (item.kind === "thing" && item.what === "allergy") return `${say("tablet.allergies")}: ${allergy(item.said)}`;
  if (item.kind === "thing") return item.what === "withdrawal" ? say("tablet.taken_back") : told(item.said);
  if (item.kind === "ecg") return `${say("tablet.ecg")} ${item.name}`;
  if (item.kind === "read") return say("tablet.read_back");
  if (item.kind === "say") return phrase(item);
  if (item.kind === "monitor") return say("tablet.monitor_here");
  const steps = { arrival: "tablet.arrived", reroute: "tablet.new_place", cancellation: "tablet.cancelled" };
  return item.kind === "step" ? say(steps[item.step]) : say("tablet.moved");
};
const codeName = (code) => {
  const key = Object.keys(tables().vitals).find((name) => tables().vitals[name].code === code);
  return key ? key.toUpperCase().replace("_", " ") : code;
};

/** Every item with its place; what was typed for the wrong patient goes to the right one. */
export function items(one, back, draw) {
  const own = model.of(one.id).slice(0, 100);
  const others = model.active().filter((other) => other.id !== one.id);
  const pick = (id) => () => {
    if (!picked.delete(id)) picked.add(id);
    draw();
  };
  const movable = (item) => ["value", "thing", "ecg"].includes(item.kind) && !(item.kind === "thing" && item.what === "withdrawal");
  const chosen = () => own.filter((item) => picked.has(item.id)).map((item) => item.id);
  const move = (to, ids) => async () => {
    await model.move(one.id, to, ids);
    picked.clear();
    if (!ids.length) back(to);
    else draw();
  };
  return panel("items", say("tablet.items"), back,
    others.length ? h("fieldset", { class: "group" }, h("legend", {}, say("tablet.move_to", { n: chosen().length })),
      h("div", { class: "choices" }, others.map((other) => h("button", { type: "button", "data-key": `move-${other.id}`, disabled: !chosen().length, onclick: move(other.id, chosen()) }, whom(other))),
        others.map((other) => h("button", { type: "button", "data-key": `join-${other.id}`, onclick: move(other.id, []) }, icon("info"), say("tablet.join", { whom: whom(other) }))))) : null,
    h("ul", { class: "items" }, own.map((item) => row(item, named(item),
      others.length && movable(item) ? choice(`pick-${item.id}`, say("tablet.pick"), picked.has(item.id), pick(item.id)) : null,
      item.kind === "value" || item.kind === "thing" && item.what !== "withdrawal" ? takeBack(item) : null))));
}
