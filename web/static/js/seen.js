// "Seen": one tap on the last line of a ringing tile, without a name. The sound of that bed is off
// for a minute; the alarm stays, and goes on to whoever is called next.

async function tap(event) {
  const button = event.target.closest?.("[data-seen]");
  if (!button) return;
  button.disabled = true;
  try {
    await fetch(`/api/v1/icu/beds/${encodeURIComponent(button.dataset.seen)}/seen`, { method: "POST" });
  } finally {
    button.disabled = false; // the board itself says whether it has worked
  }
}

/** Listen on the whole page: tiles come and go. */
export function listen() {
  document.addEventListener("click", tap);
}
