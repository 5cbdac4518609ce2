import assert from "node:assert/strict";
import { test } from "node:test";
import { EventRing } from "./event-ring.ts";

function ringAt() {
  const time = { now: 1_700_000_000_000 };
  return {
    time,
    ring: new EventRing({ now: () => time.now, setTimeout: () => assert.fail(), clearTimeout: () => assert.fail() }),
  };
}

test("events are numbered from 1 and have their time", () => {
  const { ring } = ringAt();
  ring.add("Normal", "SgxFound", "a");
  ring.add("Warning", "SgxLost", "b");
  assert.deepEqual(ring.list(), [
    { sequence: 1, time: "2023-11-14T22:13:20.000Z", type: "Normal", reason: "SgxFound", message: "a" },
    { sequence: 2, time: "2023-11-14T22:13:20.000Z", type: "Warning", reason: "SgxLost", message: "b" },
  ]);
});

test("the newest 256 are kept", () => {
  const { ring } = ringAt();
  for (let i = 0; i < 300; i++) ring.add("Normal", "Counted", String(i));
  assert.equal(ring.list().length, 256);
  assert.deepEqual([ring.list()[0]?.sequence, ring.list().at(-1)?.sequence], [45, 300]);
});

test("the same event is told once in five minutes", () => {
  const { time, ring } = ringAt();
  assert.equal(ring.add("Warning", "SgxLost", "x"), true);
  time.now += 299_999;
  assert.equal(ring.add("Warning", "SgxLost", "x"), false);
  assert.equal(ring.add("Warning", "SgxLost", "y"), true);
  time.now += 1;
  assert.equal(ring.add("Warning", "SgxLost", "x"), true);
});

test("a message is cut to what an Event holds", () => {
  const { ring } = ringAt();
  ring.add("Normal", "Long", "x".repeat(5000));
  assert.equal(ring.list()[0]?.message.length, 1024);
});
