// Panels that ask for themselves again wait for the hand: none is replaced under a press, nor while
// somebody fills in its form. The answer is let go; the next one comes by itself.

const PRESS_MS = 3000; // the end of a press may be missed outside the window: nothing waits for ever
const TYPING_MS = 20_000; // since the last key or choice in the panel

let pressed = { node: null, at: 0 };
let typed = { node: null, at: 0 };

const noted = (event) => ({ node: event.target, at: performance.now() });
const within = (panel, { node, at }, most) => panel.contains(node) && performance.now() - at < most;
const released = () => setTimeout(() => (pressed = { node: null, at: 0 })); // once its click has come

addEventListener("pointerdown", (event) => (pressed = noted(event)), true);
addEventListener("pointerup", released, true);
addEventListener("pointercancel", released, true);
addEventListener("input", (event) => (typed = noted(event)), true);

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.triggeringEvent) return; // somebody's own act, not the panel's clock
  const { target } = detail;
  if (within(target, pressed, PRESS_MS) || within(target, typed, TYPING_MS)) detail.shouldSwap = false;
});
