// Keys: arrows over beds and rows, g i and g e between boards, o for orders, ? for the list. One-letter keys act
// only while nothing is being typed, and can be switched off.

const ITEMS = ".tile, .in, .track tbody tr[id]";
const panel = () => document.querySelector("[data-part=keys]");
const letters = () => document.querySelector("[data-part=letters]");
let after = "";

const items = () => [...document.querySelectorAll(ITEMS)];
const middle = (node) => {
  const box = node.getBoundingClientRect();
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
};

/** The next item in a direction: nearest along it, sideways distance counts double. */
function towards(from, dx, dy) {
  const [x, y] = middle(from);
  let [found, least] = [null, Infinity];
  for (const node of items()) {
    const [to_x, to_y] = middle(node);
    const along = (to_x - x) * dx + (to_y - y) * dy;
    const aside = Math.abs((to_x - x) * dy) + Math.abs((to_y - y) * dx);
    if (along > 4 && along + 2 * aside < least) [found, least] = [node, along + 2 * aside];
  }
  return found;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function arrow(key) {
  const here = document.activeElement?.closest?.(ITEMS);
  const next = here ? towards(here, ...ARROWS[key]) : items()[0];
  next?.focus();
}

/** The orders of this page, or of the bed that is focused on a board. */
function toOrders() {
  const orders = document.getElementById("orders");
  if (orders) orders.querySelector("button, summary, a")?.focus();
  else document.activeElement?.closest?.(".tile")?.querySelector("h2 a")?.click();
}

function letter(key) {
  if (after === "g" && (key === "i" || key === "e")) {
    const kind = key === "i" ? "icu" : "ed";
    document.querySelector(`.tools a[data-kind=${kind}]`)?.click();
  }
  if (key === "o") toOrders();
  if (key === "a") document.activeElement?.closest?.(".call")?.querySelector("form")?.requestSubmit();
  if (key === "?") panel().hidden = !panel().hidden;
  after = key;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (typing) return;
  if (event.key === "Enter" && event.target.matches?.(ITEMS)) event.target.querySelector("a")?.click();
  else if (event.key === "Escape") panel().hidden = true;
  else if (event.key in ARROWS) {
    event.preventDefault();
    arrow(event.key);
  } else if (event.key.length === 1 && letters().checked) letter(event.key);
}

/** Listen, except on a wall, which nobody types on. */
export function listen() {
  document.querySelector(".skip").addEventListener("click", (event) => {
    const first = document.querySelector(".call:not([hidden]) button, .tile[data-alarm], .in[data-t=red]");
    if (!first) return;
    event.preventDefault();
    first.focus();
  });
  if (!panel()) return;
  letters().checked = localStorage.getItem("letters") !== "off";
  letters().addEventListener("change", () => localStorage.setItem("letters", letters().checked ? "on" : "off"));
  panel().querySelector("[data-act=keys]").addEventListener("click", () => (panel().hidden = true));
  document.addEventListener("keydown", pressed);
}
