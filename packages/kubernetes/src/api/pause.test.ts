import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "./pause.ts";

const TIMES = { regular: 10_000, firstRetry: 1000, longestRetry: 20_000 };
const middle = () => 0.5;

test("retries are doubled up to the longest; without a failure the regular time counts", () => {
  assert.deepEqual(
    [0, 1, 2, 5, 6, 5000].map((failures) => pause(failures, TIMES, middle)),
    [10_000, 1000, 2000, 16_000, 20_000, 20_000],
  );
});

test("each pause is varied by a quarter either way", () => {
  assert.equal(
    pause(0, TIMES, () => 0),
    7500,
  );
  assert.equal(
    pause(0, TIMES, () => 1),
    12_500,
  );
});
