import { epochSeconds } from "@confcom/sgx/der";

/** The number that two digits at `at` are; NaN if they are none. */
function twoDigits(text: string, at: number): number {
  const high = text.charCodeAt(at) - 48;
  const low = text.charCodeAt(at + 1) - 48;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : Number.NaN;
}

/** Seconds since 1970 of a date of exactly the form 2024-02-29T23:59:59Z, or undefined. */
export function parseIsoDate(text: string): number | undefined {
  if (text.length !== 20) return undefined;
  if (text[4] !== "-" || text[7] !== "-" || text[10] !== "T" || text[13] !== ":" || text[16] !== ":") return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if (text[19] !== "Z" || Number.isNaN(year + month + day + hour + minute + second)) return undefined;
  return epochSeconds(year, month, day, hour, minute, second);
}
