// "Call me on this device": one press subscribes this browser to calls, another ends it. What
// cannot be done here is said; the boards call all the same.

const box = document.querySelector("[data-part=push]");
const button = box?.querySelector("button");
const line = box?.querySelector("[role=status]");

const bytes = (text) => {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (each) => each.charCodeAt(0));
};

function show(state) {
  box.dataset.state = state;
  line.textContent = box.dataset[state] ?? "";
  button.hidden = state !== "on" && state !== "off" && state !== "failed";
  button.textContent = state === "on" ? box.dataset.end : box.dataset.begin;
}

const api = (method, body) =>
  fetch("/api/v1/push", {
    method,
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

async function begin(registration, key) {
  if ((await Notification.requestPermission()) !== "granted") return show("denied");
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  const answer = await api("POST", made.toJSON());
  if (!answer.ok) {
    await made.unsubscribe();
    return show("failed");
  }
  return show("on");
}

async function end(registration) {
  const known = await registration.pushManager.getSubscription();
  await api("DELETE", { endpoint: known?.endpoint ?? "" });
  await known?.unsubscribe();
  show("off");
}

async function start() {
  const { key } = await (await api("GET")).json();
  if (!key) return show("unset");
  if (!("serviceWorker" in navigator) || !("PushManager" in self)) return show("unable");
  const registration = await navigator.serviceWorker.register("/push/sw.js", { scope: "/icu/" });
  show((await registration.pushManager.getSubscription()) ? "on" : "off");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await (box.dataset.state === "on" ? end(registration) : begin(registration, key));
    } catch {
      show("failed");
    } finally {
      button.disabled = false;
    }
  });
}

if (box) start().catch(() => show("failed"));
