/** No source is left alone for longer than a day, whatever it says. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

/**
 * Retry-After in milliseconds from `now` (milliseconds since 1970): a number of seconds or an HTTP date (RFC 9110
 * §10.2.3). Undefined if there is none or it is neither. At most a day; a date that is over: 0.
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_MS);
  // Only the form that servers write: Date.parse takes far more than dates.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now, 0), LONGEST_MS);
}
