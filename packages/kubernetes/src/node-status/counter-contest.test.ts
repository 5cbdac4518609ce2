import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterContest } from "./counter-contest.ts";

const EPC = "sgx.intel.com/epc";

function contestAt() {
  const time = { now: 0 };
  const contest = new CounterContest({
    now: () => time.now,
    setTimeout: () => assert.fail(),
    clearTimeout: () => assert.fail(),
  });
  return { time, contest };
}

test("what was never written by us, or is not undone, may be written at once", () => {
  const { contest } = contestAt();
  contest.undone(EPC);
  assert.deepEqual([...contest.notNow()], []);
  contest.wrote(EPC, "1");
  assert.deepEqual([...contest.notNow()], []);
});

test("each time that it is undone the wait doubles, up to 30 s after the write", () => {
  const { time, contest } = contestAt();
  const waits: number[] = [];
  for (let round = 0; round < 8; round++) {
    const writtenAt = time.now;
    contest.wrote(EPC, "1");
    contest.undone(EPC);
    contest.undone(EPC);
    while (contest.notNow().has(EPC)) time.now += 500;
    waits.push(time.now - writtenAt);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("from the third time on it is somebody's doing; another number of ours begins anew", () => {
  const { contest } = contestAt();
  for (let round = 1; round <= 3; round++) {
    contest.wrote(EPC, "1");
    contest.undone(EPC);
    assert.deepEqual(contest.contested(), round < 3 ? [] : [EPC]);
  }
  contest.wrote(EPC, "2");
  assert.deepEqual(contest.contested(), []);
});

test("two minutes of peace end it", () => {
  const { time, contest } = contestAt();
  for (let round = 0; round < 3; round++) {
    contest.wrote(EPC, "1");
    contest.undone(EPC);
  }
  contest.wrote(EPC, "1");
  time.now = 120_000;
  contest.holds(EPC);
  assert.deepEqual(contest.contested(), [EPC]);
  time.now = 120_001;
  contest.holds(EPC);
  assert.deepEqual(contest.contested(), []);
});
