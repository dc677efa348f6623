// This file computes what the charts of the overview show.

// series returns the bars of a chart: the time of each minute and the number that pick
// returns, which is undefined for a minute without a count.
export const series = (minutes, pick) => minutes.map((m) => ({ time: m.time, value: pick(m) }));

export const sum = (numbers) => numbers.reduce((total, n) => total + (n ?? 0), 0);

// byReason returns the codes of refusals with their numbers in all minutes, the most
// frequent first. The codes after the first most-1 are added up as "other".
export function byReason(minutes, most = 5) {
  const totals = new Map();
  for (const { refused } of minutes) {
    for (const [code, n] of Object.entries(refused)) {
      totals.set(code, (totals.get(code) ?? 0) + n);
    }
  }
  const sorted = [...totals].map(([code, n]) => ({ code, n })).sort((a, b) => b.n - a.n || (a.code < b.code ? -1 : 1));
  if (sorted.length <= most) {
    return sorted;
  }
  const named = sorted.filter(({ code }) => code !== "other").slice(0, most - 1);
  const rest = sum(sorted.map(({ n }) => n)) - sum(named.map(({ n }) => n));
  return [...named, { code: "other", n: rest }];
}

// refusedOf returns the number of a minute's refusals with a code of byReason. The other
// codes of that list decide what "other" is.
export function refusedOf(minute, code, codes) {
  if (code !== "other") {
    return minute.refused[code] ?? 0;
  }
  return sum(Object.values(minute.refused)) - sum(codes.filter((c) => c !== "other").map((c) => minute.refused[c]));
}

// ceiling returns the end of an axis: the least of 1, 2, 5, 10, 20, 50, … that is not less
// than the number.
export function ceiling(n) {
  for (let size = 1; ; size *= 10) {
    const found = [1, 2, 5].map((k) => k * size).find((end) => end >= n);
    if (found) {
      return found;
    }
  }
}
