// What the lanes show, once more as a table and a list: for every eye, hand and reader.

const ROWS_MOST = 60;

/** Fills the table from the panes that are drawn; `codes` have code, name and decimals. */
export function fillTable(table, panes, codes, words, numbers, stamp) {
  const shown = codes.filter(({ code }) => panes.some((pane) => pane.drawn.trends[code]));
  const unit = (code) => {
    const sent = panes.map((pane) => pane.drawn.trends[code]).find(Boolean).unit;
    return words.units[sent] ?? sent;
  };
  table.tHead.replaceChildren(line([words.at, ...shown.map(({ code, name }) => `${name} ${unit(code)}`)], "th"));
  table.tBodies[0].replaceChildren(
    ...panes.flatMap((pane) =>
      [...steps(pane, shown).entries()].sort((a, b) => b[0] - a[0]).slice(0, ROWS_MOST + 2).map(([at, row]) =>
        line([stamp(at), ...shown.map(({ code, decimals }) => cellText(row[code], numbers, decimals))], "td"))),
  );
}

/** The list of events; each has a button that shows the time before it beside (`before`). */
export function fillEvents(list, events, words, stamp, before) {
  list.replaceChildren(...events.map((event) => {
    const item = document.createElement("li");
    const kind = words[`kind.${event.kind}`] ?? event.kind;
    item.textContent = `${stamp(event.us)} ${kind}: ${event.text} ${event.act} `;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words.before_it;
    button.addEventListener("click", () => before(event.us));
    item.append(button);
    return item;
  }));
}

function steps(pane, codes) {
  const { drawn } = pane;
  const bin = Math.max(drawn.step, (pane.view.to - pane.view.from) / ROWS_MOST);
  const rows = new Map();
  for (const { code } of codes) {
    for (const [at, low, high, mean] of drawn.trends[code]?.points ?? []) {
      const key = Math.floor(at / bin) * bin;
      const row = rows.get(key) ?? rows.set(key, {}).get(key);
      const known = row[code];
      row[code] = known
        ? [Math.min(low, known[0]), Math.max(high, known[1]), known[2] + mean, known[3] + 1]
        : [low, high, mean, 1];
    }
  }
  return rows;
}

function line(cells, name) {
  const row = document.createElement("tr");
  cells.forEach((text, index) => {
    const cell = document.createElement(index && name === "td" ? "td" : "th");
    if (cell.tagName === "TH") cell.scope = name === "td" ? "row" : "col";
    cell.textContent = text;
    row.append(cell);
  });
  return row;
}

function cellText(found, numbers, decimals) {
  if (!found) return "";
  const [low, high, sum, count] = found;
  const mean = numbers.format(Number((sum / count).toFixed(decimals)));
  return low === high ? mean : `${mean} (${numbers.format(low)}–${numbers.format(high)})`;
}
