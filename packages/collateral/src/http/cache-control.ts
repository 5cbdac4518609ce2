/** Collateral lives for a month; nothing that says it stays good for longer than a year is believed. */
const LONGEST_MS = 366 * 24 * 60 * 60 * 1000;

/**
 * How long an answer may be kept, in milliseconds, from its Cache-Control (RFC 9111 §5.2): 0 for `no-store` and
 * `no-cache`, undefined if it says nothing that can be read.
 */
export function maxAgeMs(cacheControl: string | undefined): number | undefined {
  const directives = (cacheControl ?? "").split(",", 32).map((directive) => directive.trim().toLowerCase());
  if (directives.includes("no-store") || directives.includes("no-cache")) return 0;
  for (const directive of directives) {
    const seconds = /^max-age="?(\d{1,15})"?$/.exec(directive)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds) * 1000, LONGEST_MS);
  }
  return undefined;
}
