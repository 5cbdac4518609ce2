import assert from "node:assert/strict";
import { test } from "node:test";
import { throughout, until, Violation } from "./until.ts";

test("looks until it no longer throws", async () => {
  let looks = 0;
  const { value } = await until(
    "the third look",
    10_000,
    () => {
      looks++;
      if (looks < 3) throw new Error("not yet");
      return looks;
    },
    1,
  );
  assert.equal(value, 3);
});

test("after the limit the last reason is the error", async () => {
  const never = () => assert.fail("still not");
  await assert.rejects(until("what never comes", 5, never, 1), /what never comes: not within 0.005 s: still not/);
});

test("a violation ends the waiting at once", async () => {
  let looks = 0;
  const look = () => {
    looks++;
    throw new Violation("seen once");
  };
  await assert.rejects(until("anything", 60_000, look, 1), /^Error: seen once$/);
  assert.equal(looks, 1);
});

test("throughout looks more than once, and throws as soon as a look does", async () => {
  assert.ok((await throughout(30, () => undefined, 1)) > 1);
  await assert.rejects(
    throughout(60_000, () => assert.fail("gone"), 1),
    /gone/,
  );
});
