// Clocks of a page without a socket: minutes left until `data-due`, counted from when it was made.

const began = performance.now();

function paint() {
  for (const node of document.querySelectorAll("time[data-due][data-left]")) {
    const { due, now, left } = node.dataset;
    const time = Number(now) + (performance.now() - began) * 1000;
    const minutes = -Math.floor((time - Number(due)) / 60e6);
    node.textContent = left.replace("{n}", String(minutes).replace("-", "−"));
    if (minutes < 0) node.dataset.late = "yes";
  }
}

setInterval(paint, 1000);
