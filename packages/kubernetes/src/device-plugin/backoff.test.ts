import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "./backoff.ts";

test("attempts are 250 ms apart at first, then twice as long each time, up to 5 s", () => {
  const backoff = new Backoff(() => 1 - Number.EPSILON);
  assert.deepEqual(
    Array.from({ length: 8 }, () => backoff.next()),
    [250, 500, 1000, 2000, 4000, 5000, 5000, 5000],
  );
  assert.equal(backoff.attempts, 8);
});

test("chance shortens each wait by up to a half", () => {
  const backoff = new Backoff(() => 0);
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [125, 250, 500]);
});

test("a reset begins anew", () => {
  const backoff = new Backoff(() => 0);
  for (let attempt = 0; attempt < 2_000; attempt += 1) assert.ok(backoff.next() <= 5_000);
  backoff.reset();
  assert.equal(backoff.next(), 125);
});
