// The words of both languages and the clinical tables, as the server wrote them for this page.

let data = null;
let language = "ru";

export async function load() {
  data = await (await fetch("/tablet/data.json")).json();
  const asked = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("language");
  speak(asked in data.words ? asked : navigator.language.startsWith("ru") ? "ru" : "en");
}

/** Use a language from now on; this device remembers it. */
export function speak(chosen) {
  language = chosen;
  localStorage.setItem("language", chosen);
  document.documentElement.lang = chosen;
  document.title = say("tablet.title");
}

/** The words for a key with {name} filled in. */
export function say(key, values = {}) {
  const words = data.words[language][key];
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Whether there is a word for this key. */
export const has = (key) => key in data.words[language];

/** The label of a sign, criterion or vital; the code itself where none is known. */
export const clinical = (code) => data.clinical[code]?.[language] ?? code;

/** The complaint in this language, or as it was typed. */
export const complaint = (id) => data.complaints.find((one) => one.id === id)?.label[language] ?? id;

/** A preset phrase of the department, with what it added. */
export const phrase = ({ phrase: id, text }) => {
  const known = id === "rerouted" ? say("tablet.new_place") : data.phrases[id]?.[language];
  return [known, text].filter(Boolean).join(": ");
};

/** An item of a checklist in this language. */
export const item = (pathway, id) => data.pathways[pathway]?.[id]?.[language] ?? id;

/** A number as this language writes it. */
export const number = (value) => String(value).replace(".", language === "ru" ? "," : ".").replace("-", "\u2212");

/** A clock time, 10:42. */
export const clock = (moment) =>
  new Date(moment).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

export const tables = () => data;
export const current = () => language;
export const other = () => (language === "ru" ? "en" : "ru");
