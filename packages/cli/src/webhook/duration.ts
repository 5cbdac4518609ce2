import { usage } from "../usage-error.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `30d`, `12h`, `10m`, `30s` or `500ms`, from `min` to `max`. Throws CommandError `CLI_USAGE`. */
export function durationOption(text: string, option: string, command: string, [min, max]: readonly [number, number]) {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const milliseconds = Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? Number.NaN);
  if (milliseconds >= min && milliseconds <= max) return milliseconds;
  throw usage(`${option} takes a time from ${durationText(min)} to ${durationText(max)}, got "${text}"`, command);
}

/** In the largest unit that keeps it whole. */
export function durationText(milliseconds: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => milliseconds % size === 0) as [string, number];
  return `${milliseconds / size}${unit}`;
}
