import { CollateralError } from "../errors.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `12h`, `7d`, or `unlimited` (Infinity), in milliseconds. Throws CollateralError CONFIGURATION. */
export function parseDuration(text: string, option: string): number {
  if (text === "unlimited") return Number.POSITIVE_INFINITY;
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  if (match === null || unit === undefined) {
    throw new CollateralError("CONFIGURATION", `${option} takes a time such as 12h or 7d, or unlimited, got "${text}"`);
  }
  return Number(match[1]) * unit;
}

/** The shortest of those forms. */
export function durationText(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "unlimited";
  const unit = (["d", "h", "m"] as const).find((name) => ms >= (UNITS[name] ?? 0) && ms % (UNITS[name] ?? 1) === 0);
  return unit === undefined ? `${ms / 1000}s` : `${ms / (UNITS[unit] ?? 1)}${unit}`;
}
