import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenBucket } from "./token-bucket.ts";

test("as many as fit at once, then one in each interval, never more than fit", () => {
  let now = 0;
  const clock = { now: () => now, setTimeout: () => assert.fail(), clearTimeout: () => assert.fail() };
  const bucket = new TokenBucket(clock, { size: 2, refillMs: 1000 });
  const taken = (): number => {
    let count = 0;
    while (bucket.take()) count++;
    return count;
  };
  assert.equal(taken(), 2);
  now = 999;
  assert.equal(taken(), 0);
  now = 1000;
  assert.equal(taken(), 1);
  now = 1999;
  assert.equal(taken(), 0);
  now = 1_000_000;
  assert.equal(taken(), 2);
});
