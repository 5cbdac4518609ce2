import { DerError } from "./errors.ts";

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Seconds since 1970 of a UTC date in the proleptic Gregorian calendar, or undefined if there is no such date. */
export function epochSeconds(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const leapDay = month === 2 && isLeap(year) ? 1 : 0;
  if (day < 1 || day > (DAYS_IN_MONTH[month - 1] as number) + leapDay) return undefined;
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const dayOfYear = (DAYS_BEFORE_MONTH[month - 1] as number) + (month > 2 && isLeap(year) ? 1 : 0) + day - 1;
  // 719162 days lie between 0001-01-01 and 1970-01-01.
  const days = before * 365 + leaps + dayOfYear - 719162;
  return days * 86400 + hour * 3600 + minute * 60 + second;
}

function twoDigits(bytes: Uint8Array, offset: number): number {
  const high = (bytes[offset] as number) - 48;
  const low = (bytes[offset + 1] as number) - 48;
  if (high < 0 || high > 9 || low < 0 || low > 9) throw new DerError("DER_TIME", offset, "a time has a non-digit");
  return high * 10 + low;
}

/**
 * Reads the content of a UTCTime (YYMMDDHHMMSSZ) or GeneralizedTime (YYYYMMDDHHMMSSZ) as seconds since 1970; two-digit
 * years from 50 are 19xx (RFC 5280 §4.1.2.5). No fractions, no offsets, seconds required. Throws `DER_TIME`.
 */
export function decodeTime(bytes: Uint8Array, start: number, end: number, generalized: boolean): number {
  if (end - start !== (generalized ? 15 : 13) || bytes[end - 1] !== 0x5a) {
    throw new DerError("DER_TIME", start, `a ${generalized ? "GeneralizedTime" : "UTCTime"} is not in its DER form`);
  }
  let at = start;
  let year = twoDigits(bytes, at);
  at += 2;
  if (generalized) {
    year = year * 100 + twoDigits(bytes, at);
    at += 2;
  } else {
    year += year >= 50 ? 1900 : 2000;
  }
  const seconds = epochSeconds(
    year,
    twoDigits(bytes, at),
    twoDigits(bytes, at + 2),
    twoDigits(bytes, at + 4),
    twoDigits(bytes, at + 6),
    twoDigits(bytes, at + 8),
  );
  if (seconds === undefined) throw new DerError("DER_TIME", start, "a time names a date that does not exist");
  return seconds;
}
