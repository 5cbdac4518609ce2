import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { killNine, killNineSummaryLine } from "./kill-nine.ts";

test("a first start killed with SIGKILL at five moments starts again each time with the key it handed out", async () => {
  const moments = [0.05, 0.3, 0.5, 0.99, 0.2];
  let next = 0;
  const summary = await killNine({ kills: 5, directory: tmpdir(), random: () => moments[next++ % 5] as number });
  assert.deepEqual(summary.failures, []);
  assert.equal(summary.kills, 5);
  assert.ok(summary.restarts >= 3);
});

test("the summary line counts, and says when something failed", () => {
  const line = killNineSummaryLine({ kills: 200, afterKey: 12, restarts: 150, failures: [] });
  assert.equal(
    line,
    "kill -9: 200 kills, 12 of them after a key was handed out, 150 restarts: every restart worked, no key was replaced",
  );
  assert.match(killNineSummaryLine({ kills: 2, afterKey: 0, restarts: 2, failures: ["a", "b"] }), /2 FAILED$/);
});
