// The page of a bed is one patient's: where somebody else lies there, or nobody any more, what it
// says of the one before is asked for anew, and an order that was being written for them is dropped.
// What was sent all the same is refused by the server, which says so above the panels.

const side = document.querySelector(".side");
const place = `/icu/beds/${document.querySelector(".bedpage").dataset.bed}`;
const PANELS = [["street", ".side .street"], ["course", "#lately"], ["indicators", "#indicators"], ["orders", "#orders"]];
const tile = () => side.querySelector(".tile")?.dataset.who;
let who = tile();

new MutationObserver(() => {
  const now = tile();
  if (now === undefined || now === who) return;
  who = now;
  document.querySelector('.ways a[href^="/patients/"]')?.remove();
  for (const [path, target] of PANELS) htmx.ajax("GET", `${place}/${path}`, { target, swap: "outerHTML" });
}).observe(side, { childList: true, subtree: true, attributeFilter: ["data-who"] });

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.requestConfig.verb === "post") document.querySelector("#refused").textContent = "";
});
