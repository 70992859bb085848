// Light or dark as this device was set; runs before the first paint, so nothing flashes.
(() => {
  const root = document.documentElement;
  const own = root.dataset.mode === "wall" ? null : localStorage.getItem("theme");
  if (own === "light" || own === "dark") root.dataset.theme = own;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-act=theme]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
      root.dataset.theme = next;
      localStorage.setItem("theme", next);
    });
  });
})();
