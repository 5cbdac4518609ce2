import assert from "node:assert/strict";
import { test } from "node:test";
import { healthyCluster, snapshotOf } from "../testing/healthy-cluster.ts";
import { diagnose } from "./diagnose.ts";

test("a healthy cluster has no problem", async () => {
  assert.deepEqual(diagnose(await snapshotOf(healthyCluster())), []);
});
