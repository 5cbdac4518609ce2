/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  if (low === undefined || high === undefined) throw new Error("the median of nothing");
  return (low + high) / 2;
}

/** Each figure's own median: the rounds need not agree on which was the typical one. */
export function medians<T extends { readonly [Name in keyof T]: number }>(rounds: readonly T[]): T {
  const [first] = rounds;
  if (first === undefined) throw new Error("the medians of nothing");
  const names = Object.keys(first) as (keyof T)[];
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name]))])) as T;
}
