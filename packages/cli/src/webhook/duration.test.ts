import assert from "node:assert/strict";
import { test } from "node:test";
import { durationOption, durationText } from "./duration.ts";

const time = (text: string) => durationOption(text, "--life", "webhook", [100, 86_400_000]);

test("a time is a whole number with its unit", () => {
  assert.deepEqual(["500ms", "30s", "10m", "12h", "1d"].map(time), [500, 30_000, 600_000, 43_200_000, 86_400_000]);
});

test("anything else, or out of bounds, is refused with the bounds", () => {
  for (const text of ["", "10", "1.5h", "-1s", "1w", "99ms", "2d", "1 s", "9999999999s"]) {
    assert.throws(() => time(text), /--life takes a time from 100ms to 1d, got/, text);
  }
});

test("a time is told in the largest unit that keeps it whole", () => {
  assert.deepEqual([0, 1500, 90_000, 3_600_000].map(durationText), ["0d", "1500ms", "90s", "1h"]);
});
