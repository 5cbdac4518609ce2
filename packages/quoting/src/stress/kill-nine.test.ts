import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { killNine, killNineSummaryLine } from "./kill-nine.ts";

test("a first start killed with SIGKILL at five moments starts again each time with the key it handed out", async () => {
  const moments = [0.05, 0.3, 0.55, 0.8, 0.97];
  let next = 0;
  const summary = await killNine({ rounds: 5, directory: tmpdir(), random: () => moments[next++ % 5] as number });
  assert.deepEqual(summary.failures, []);
  assert.equal(summary.rounds, 5);
  assert.ok(summary.killed > 0, "at least one kill came in time");
});

test("the summary line counts, and says when something failed", () => {
  const line = killNineSummaryLine({ rounds: 200, killed: 190, afterKey: 12, failures: [] });
  assert.equal(
    line,
    "kill -9: 200 rounds, 190 killed in time, 12 of them after a key was handed out: every restart worked, no key was replaced",
  );
  assert.match(killNineSummaryLine({ rounds: 2, killed: 2, afterKey: 0, failures: ["a", "b"] }), /2 FAILED$/);
});
