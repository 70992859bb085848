// A worker that only counts time: timers of a page are slowed down in a background tab, these are not.
// It says `tick` four times a second and `lost` once no beat was reported for `limit` milliseconds.
const limit = 3000;
let last = performance.now();
let lost = false;

onmessage = () => {
  last = performance.now();
  lost = false;
};

setInterval(() => {
  if (!lost && performance.now() - last >= limit) {
    lost = true;
    postMessage("lost");
  }
  postMessage("tick");
}, 250);
