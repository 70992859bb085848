// Elements without a framework: made of words and attributes, put in place where they differ.

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "use", "path", "circle", "rect", "text"]);
const SHAPES = {
  red: ["path", { d: "M14 3h16l11 11v16l-11 11h-16l-11-11v-16z" }, 30],
  yellow: ["path", { d: "M22 3l20 37h-40z", "stroke-linejoin": "round" }, 35],
  green: ["circle", { cx: 22, cy: 22, r: 19 }, 30],
  incomplete: ["rect", { x: 4, y: 4, width: 36, height: 36, rx: 3 }, 30],
};

/** An element; `on…` attributes listen, text is always text. */
export function h(name, attributes = {}, ...children) {
  const node = DRAWN.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) listen(node, key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A picture of the sprite, beside a word. */
export const icon = (name) =>
  h("svg", { class: "ic", "aria-hidden": "true" }, h("use", { href: `/static/sprite.svg#${name}` }));

/** The triage shape: dashed is proposed, solid is decided. */
export function shape(colour, solid, letter, label) {
  const known = colour in SHAPES ? colour : "incomplete";
  const [form, attributes, y] = SHAPES[known];
  return h(
    "svg",
    {
      class: "shape", "data-t": known, "data-by": solid ? "physician" : "system",
      viewBox: "0 0 44 44", role: "img", "aria-label": label,
    },
    h(form, { class: "g", ...attributes }),
    h("text", { x: 22, y, class: known === "yellow" ? "low" : null }, letter),
  );
}

const run = (event) => event.currentTarget.heard[event.type]?.(event);

function listen(node, type, act) {
  node.heard ??= {};
  if (!(type in node.heard)) node.addEventListener(type, run);
  node.heard[type] = act;
}

/** Makes what stands there like what is wanted; what is the same keeps its focus and its text. */
function patch(old, wanted) {
  if (old === wanted) return;
  if (old.nodeName !== wanted.nodeName || old.dataset?.key !== wanted.dataset?.key || old.dataset?.part !== wanted.dataset?.part) {
    old.replaceWith(wanted);
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...wanted.attributes]) {
    if (old.getAttribute(name) === value) continue;
    old.setAttribute(name, value);
    if (name === "value" && old !== document.activeElement) old.value = value;
  }
  for (const [type, act] of Object.entries(wanted.heard ?? {})) listen(old, type, act);
  children(old, [...wanted.childNodes]);
}

function children(place, wanted) {
  wanted.forEach((part, index) => {
    const old = place.childNodes[index];
    if (old) patch(old, part);
    else place.append(part);
  });
  while (place.childNodes.length > wanted.length) place.lastChild.remove();
}

/** Puts the parts into a place. */
export const fill = (place, parts) => children(place, parts.filter(Boolean));

/** Says something to whoever cannot look: one polite line. */
export function tell(words) {
  const line = document.getElementById("said");
  if (line.textContent !== words) line.textContent = words;
}
