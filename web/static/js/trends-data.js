// What a page of trends asks the archive for: one range, as it is drawn.

const iso = (us) => new Date(us / 1000).toISOString();

/** The range as a question, with `more` pairs before it. */
export function question(from, to, more = []) {
  return new URLSearchParams([...more, ["from", iso(from)], ["to", iso(to)]]);
}

export async function fetched(path, accept = "application/json") {
  const answer = await fetch(path, { headers: { Accept: accept } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}

/** Trends, events and, where `close`, the stored curves of a range. */
export async function ranged(base, view, codes, points, close) {
  const { from, to } = view;
  const [trends, events, pieces] = await Promise.all([
    fetched(`${base}/trends?${question(from, to, [...codes.map((code) => ["code", code]), ["points", points]])}`)
      .then((answer) => answer.json()),
    fetched(`${base}/trends/events?${question(from, to)}`).then((answer) => answer.json()),
    close ? curves(base, from, to) : [],
  ]);
  return {
    from,
    to,
    mode: trends.mode,
    patient: trends.patient_id ?? "",
    trends: Object.fromEntries(
      Object.entries(trends.trends).map(([code, trend]) => [
        code,
        { unit: trend.unit, points: trend.points.map((p) => [Date.parse(p[0]) * 1000, ...p.slice(1)]) },
      ]),
    ),
    events: events.events.map((event) => ({ ...event, us: Date.parse(event.at) * 1000 })),
    pieces: ofOneMode(pieces, trends.mode),
    step: trends.step_s * 1e6,
  };
}

async function curves(base, from, to) {
  // A piece may have begun before the range: a few seconds more are asked for.
  const answer = await fetched(`${base}/waveforms?stay=true&${question(from - 10e6, to)}`, "application/x-ndjson");
  const text = await answer.text();
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** Of a real patient real curves alone; where nobody says who lies there, as soon as one is real. */
function ofOneMode(pieces, mode) {
  const real = pieces.filter((piece) => piece.mode === "Real");
  return mode === "Real" || (!mode && real.length) ? real : pieces;
}
