import { epochSeconds } from "@confcom/sgx/der";

/** Seconds since 1970 of a date of exactly the form 2024-02-29T23:59:59Z, or undefined. */
export function parseIsoDate(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return epochSeconds(year, month, day, hour, minute, second);
}
