// A day is wider than most screens: it begins where its newest entry stands.

const cells = [...document.querySelectorAll(".flow td")].filter((cell) => cell.textContent.trim());
const newest = Math.max(0, ...cells.map((cell) => cell.cellIndex));
const hour = document.querySelectorAll(".flow thead th")[newest];
const box = hour?.closest(".scroll");
if (box) box.scrollLeft = hour.offsetLeft + hour.offsetWidth - box.clientWidth;
