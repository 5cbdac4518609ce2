import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { attachCluster } from "./attached-cluster.ts";
import { foreignEntry, makeClusterDirectory, unsuitableName } from "./cluster-directory.ts";
import { ClusterError } from "./errors.ts";
import { clusterLayout } from "./layout.ts";
import { supervisedDirectory } from "./living-clusters.ts";
import { missingPrograms } from "./prerequisites.ts";
import { downCluster } from "./start-cluster.ts";
import { clusterStatus, statusLines } from "./status.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "confcom-cluster-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("taking down what was never up is no error and does nothing", async () => {
  assert.equal(await downCluster(directory, assert.fail), false);
});

test("nobody attaches to a cluster whose supervisor is gone, and its state is tidied away", async () => {
  const { state } = clusterLayout(directory);
  const gone = { pid: process.pid, startTime: "1" };
  const machines = {};
  writeFileSync(state, JSON.stringify({ name: "none-such", phase: "up", supervisor: gone, machines, services: {} }));
  await assert.rejects(
    attachCluster(directory),
    (error) => error instanceof ClusterError && error.code === "NOT_RUNNING",
  );
  assert.deepEqual(statusLines(clusterStatus(directory)), [`no cluster is running in ${directory}`]);
  assert.equal(await downCluster(directory, () => {}), true);
  assert.equal(await downCluster(directory, assert.fail), false);
});

test("a directory whose name overlays or sockets cannot take is refused before anything is done", () => {
  assert.equal(unsuitableName(clusterLayout("/srv/cluster")), undefined);
  assert.match(unsuitableName(clusterLayout("/srv/a,b")) ?? "", /comma/);
  assert.match(unsuitableName(clusterLayout("/srv/a:b")) ?? "", /colon/);
  assert.match(unsuitableName(clusterLayout(`/${"x".repeat(94)}`)) ?? "", /at most 107 bytes/);
  assert.equal(unsuitableName(clusterLayout(`/${"x".repeat(93)}`)), undefined);
});

test("a directory that holds other things is refused, and what an earlier cluster left is not in the way", () => {
  const layout = clusterLayout(directory);
  for (const path of [layout.state, layout.options, layout.kubeconfig]) writeFileSync(path, "");
  assert.equal(foreignEntry(layout), undefined);
  writeFileSync(join(directory, "hosts"), "");
  assert.throws(() => makeClusterDirectory(directory), { code: "BAD_DIRECTORY", message: /"hosts" for one/ });
});

test("what is not installed is named with the package that has it", () => {
  const has = (path: string) => !/containerd|ctr$|host-local/.test(path);
  const [what, how] = missingPrograms(has, "");
  assert.match(what ?? "", /containerd, containerd-shim-runc-v2, ctr, the CNI plugins bridge, host-local, loopback/);
  assert.match(how ?? "", /apt-get install --no-install-recommends containerd containernetworking-plugins$/);
});

test("nothing is said when everything is installed", () => {
  assert.deepEqual(
    missingPrograms(() => true, ""),
    [],
  );
});

test("a supervisor is recognised by its arguments, a program that mentions one is not", () => {
  const argv = ["node", "--disable-sigusr1", "/x/cluster/supervisor.ts", "/srv/c", "--leash"];
  assert.equal(supervisedDirectory(argv), "/srv/c");
  assert.equal(supervisedDirectory(["/x/cluster/supervisor.ts"]), undefined);
  assert.equal(supervisedDirectory(["grep", "supervisor"]), undefined);
});
