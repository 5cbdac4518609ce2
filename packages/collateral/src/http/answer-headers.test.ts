import assert from "node:assert/strict";
import { test } from "node:test";
import { maxAgeMs } from "./cache-control.ts";
import { retryAfterMs } from "./retry-after.ts";

const DAY = 24 * 60 * 60 * 1000;

test("Retry-After is seconds or a date, at most a day, and never negative", () => {
  const now = Date.UTC(2026, 10, 21, 12, 0, 0);
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    [undefined, undefined],
    ["", undefined],
    ["120", 120_000],
    [" 0 ", 0],
    ["86401", DAY],
    ["999999999999999", DAY],
    ["Sat, 21 Nov 2026 12:00:30 GMT", 30_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["Mon, 21 Nov 2050 12:00:00 GMT", DAY],
    ["Sat, 99 Nov 2026 12:00:30 GMT", undefined],
    ["2026-11-21T12:00:30Z", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
  ];
  for (const [value, expected] of cases) assert.equal(retryAfterMs(value, now), expected, String(value));
});

test("an answer's age is Cache-Control's max-age; no-store and no-cache are 0; what cannot be read says nothing", () => {
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    [undefined, undefined],
    ["max-age=86400", DAY],
    ['public, Max-Age="60"', 60_000],
    ["max-age=60, no-store", 0],
    ["no-cache", 0],
    ["max-age=0", 0],
    ["max-age=-1", undefined],
    ["max-age=abc", undefined],
    ["s-maxage=5", undefined],
    ["max-age=999999999999999", 366 * DAY],
    [`${",".repeat(100)}max-age=5`, undefined],
  ];
  for (const [value, expected] of cases) assert.equal(maxAgeMs(value), expected, String(value));
});
