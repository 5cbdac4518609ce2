import assert from "node:assert/strict";
import { test } from "node:test";
import { NOW } from "../testing/cluster-objects.ts";
import { FAULTS } from "../testing/faults.ts";
import { healthyCluster, snapshotOf } from "../testing/healthy-cluster.ts";
import { diagnose } from "./diagnose.ts";
import { ADDON_PROBLEMS } from "./problem-codes.ts";

test("a healthy cluster has no problem", async () => {
  assert.deepEqual(diagnose(await snapshotOf(healthyCluster())), []);
});

for (const { name, codes, make, now } of FAULTS) {
  test(`${name}: ${[...new Set(codes)].join(" and ")} alone`, async () => {
    const cluster = healthyCluster();
    make(cluster);
    const found = diagnose(await snapshotOf(cluster, { now: now ?? NOW }));
    assert.deepEqual(
      found.map(({ code }) => code),
      codes,
      JSON.stringify(found, null, 1),
    );
    for (const { cause, remedy, object } of found) {
      assert.ok(cause !== "" && remedy !== "" && object.name !== "", JSON.stringify(found));
      assert.doesNotMatch(cause, /undefined|null|\[object/);
    }
  });
}

test("where a daemon would name its flags, the remedy names the values of the installation", async () => {
  for (const code of ["EPC_UNKNOWN", "EPC_LIST_TOO_LARGE"] as const) {
    const cluster = healthyCluster();
    FAULTS.find(({ codes }) => codes.includes(code))?.make(cluster);
    const [found] = diagnose(await snapshotOf(cluster, { now: NOW }));
    assert.equal(found?.remedy, ADDON_PROBLEMS[code].remedy);
  }
});

test("where disabling has begun nobody is told to enable", async () => {
  const cluster = healthyCluster();
  FAULTS.find(({ name }) => name.startsWith("disable was interrupted"))?.make(cluster);
  const [found] = diagnose(await snapshotOf(cluster, { now: NOW }));
  assert.match(found?.cause ?? "", /the add-on's state is "disabling"/);
  assert.equal(found?.remedy, ADDON_PROBLEMS.ADDON_INTERRUPTED.remedy);
});

test("every code has a fault that shows it", () => {
  const shown = new Set(FAULTS.flatMap(({ codes }) => codes));
  assert.deepEqual(
    Object.keys(ADDON_PROBLEMS).filter((code) => !shown.has(code as keyof typeof ADDON_PROBLEMS)),
    [],
  );
});
