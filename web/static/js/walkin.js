// The walk-in page: a field that is full hands on to the next, so nobody taps from field to field.

const form = document.querySelector(".walkin");
const fields = [...form.querySelectorAll("input[data-digits]")];

/** Whether nothing can follow: all digits are there, or one more would be no such value. */
function full(field) {
  const text = field.value.replace(",", ".");
  const digits = text.replace(".", "").length;
  if (field.name === "temp") return /^\d\d\.\d$/.test(text) || digits >= 3;
  if (Number(field.dataset.digits) === 3) return digits >= 3 || (digits === 2 && Number(text) > 30 && field.name !== "age") || (field.name === "age" && digits === 2 && Number(text) > 13);
  return digits >= Number(field.dataset.digits);
}

form.addEventListener("input", ({ target }) => {
  if (target.name === "temp" && /^\d{3}$/.test(target.value)) target.value = `${target.value.slice(0, 2)}.${target.value.slice(2)}`;
  const place = fields.indexOf(target);
  if (place >= 1 && full(target)) fields[place + 1]?.focus();
});

// A complaint from the long list takes the place of the buttons.
form.querySelector("[data-other]").addEventListener("change", ({ target }) => {
  for (const chip of form.querySelectorAll("input[name=complaint]")) chip.checked = false;
  target.name = target.value ? "complaint" : "";
});

// "None of these" and a sign exclude each other.
form.addEventListener("change", ({ target }) => {
  if (target.name !== "signs" || !target.checked) return;
  for (const box of form.querySelectorAll("input[name=signs]"))
    if ((target.value === "none") !== (box.value === "none")) box.checked = false;
});
