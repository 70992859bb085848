// Shows a call that came by Web Push, and opens the bed: opening it is the read receipt.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

function told(event) {
  try {
    return event.data.json();
  } catch {
    return { title: "Hospital Ops", body: "", url: "/icu/", tag: "call" };
  }
}

self.addEventListener("push", (event) => {
  const { title, body, url, tag } = told(event);
  event.waitUntil(
    self.registration.showNotification(title, {
      body,
      tag,
      data: { url },
      icon: "/static/icon.svg",
      renotify: true,
      requireInteraction: true,
      vibrate: [300, 100, 300, 100, 300],
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = String(event.notification.data?.url ?? "");
  const url = path.startsWith("/icu/") ? path : "/";
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then((open) => {
      const known = open.find((client) => new URL(client.url).pathname === url);
      return known ? known.focus() : self.clients.openWindow(url);
    }),
  );
});
