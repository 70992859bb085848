// Own swap styles of htmx. Its usual out-of-band swap costs the square of the cells in a frame;
// an answer of `true` from handleSwap leaves that way at once.
//   cell   copies attributes and children onto the element that is there
//   fresh  the values named in data-for were measured again: only their moments change
//   morph  a tile or list, by idiomorph; what stayed the same stays the same element

import { measured, sent } from "./ages.js";

const STYLES = ["cell", "fresh", "morph"];

function cell(target, source) {
  for (const { name } of [...target.attributes]) if (!source.hasAttribute(name)) target.removeAttribute(name);
  for (const { name, value } of source.attributes) if (target.getAttribute(name) !== value) target.setAttribute(name, value);
  target.replaceChildren(...source.childNodes);
  sent(target);
}

function fresh(target, source) {
  const { at, amber, gone } = source.dataset;
  for (const key of source.dataset.for.split(" ")) {
    const value = document.getElementById(`${target.id}-${key}`);
    if (!value) continue;
    Object.assign(value.dataset, { at, amber, gone });
    measured(value);
  }
}

export const swaps = {
  isInlineSwap: (style) => STYLES.includes(style),
  handleSwap(style, target, fragment) {
    if (!STYLES.includes(style)) return false;
    const source = fragment.firstElementChild ?? fragment;
    if (style === "cell") cell(target, source);
    else if (style === "fresh") fresh(target, source);
    else {
      Idiomorph.morph(target, source, { morphStyle: "outerHTML" });
      for (const value of target.querySelectorAll(".v[data-at]")) sent(value);
    }
    return true;
  },
};
