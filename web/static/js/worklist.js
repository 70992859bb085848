// The worklist by keyboard: arrows over what is to be done, Enter to its first button. What was
// focused stays focused when the list is sent again.

const items = () => [...document.querySelectorAll("#worklist li[data-order]")];
const typing = (node) => node.closest?.("input:not([type=hidden]), textarea, select");
let focused = "";

function move(step) {
  const all = items();
  const here = all.indexOf(document.activeElement?.closest?.("li[data-order]"));
  all[Math.min(all.length - 1, Math.max(0, here + step))]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && event.target.matches("li[data-order]")) {
    event.target.querySelector("button")?.focus();
  }
});
document.addEventListener("focusin", (event) => {
  focused = event.target.closest?.("li[data-order]")?.dataset.order ?? "";
});
document.addEventListener("htmx:afterSwap", () => {
  if (focused && document.activeElement === document.body) {
    items().find((item) => item.dataset.order === focused)?.focus();
  }
});
