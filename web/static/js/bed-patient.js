// The page of a bed is one patient's: where somebody else lies there, or nobody any more, all of it
// is asked for anew. What was typed for the one before is not sent for the next.

const tile = () => document.querySelector(".side .tile");
const who = tile()?.dataset.who;

new MutationObserver(() => {
  const now = tile();
  if (now && now.dataset.who !== who) location.reload();
}).observe(document.querySelector(".side"), { childList: true, subtree: true, attributeFilter: ["data-who"] });
