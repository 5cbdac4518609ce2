import assert from "node:assert/strict";
import { test } from "node:test";
import { effectiveRequest } from "../../../effective-request.ts";
import { podFacts } from "../facts/pod-facts.ts";
import { AZURE, INTEL, limits, pod, put } from "../testing/cluster-objects.ts";
import { healthyCluster, LISTS, snapshotOf } from "../testing/healthy-cluster.ts";
import { addonStatus } from "./addon-status.ts";
import { declaredMiB } from "./declared-epc.ts";

const container = (name: string, mib: string, more: object = {}) => ({
  name,
  image: "a",
  ...limits({ [AZURE]: mib }),
  ...more,
});
const effective = (initContainers: object[], containers: object[]) =>
  effectiveRequest(podFacts(pod("n", "p", "x", { spec: { initContainers, containers } })).containers, declaredMiB);

test("init containers' EPC is used again, sidecars keep theirs", () => {
  assert.equal(effective([container("i", "50")], [container("a", "10"), container("b", "20")]), 50n);
  assert.equal(effective([container("i", "20")], [container("a", "10"), container("b", "20")]), 30n);
  const sidecar = container("s", "7", { restartPolicy: "Always" });
  assert.equal(effective([container("i", "50"), sidecar], [container("a", "10")]), 50n);
  assert.equal(effective([sidecar, container("i", "50")], [container("a", "10")]), 57n);
  assert.equal(effective([sidecar, container("i", "1")], [container("a", "10")]), 17n);
});

test("EPC of a node is what scheduled pods that have not ended declare", async () => {
  const { nodes } = addonStatus(await snapshotOf(healthyCluster()));
  const of = (name: string) => nodes.find((each) => each.name === name)?.epc;
  assert.deepEqual(of("sgx-1"), { totalMiB: 512, allocatedMiB: 10 + 32 + 100, freeMiB: 370 });
  assert.deepEqual(of("sgx-2"), { totalMiB: 1024, allocatedMiB: 10 + 64 + 16 + 10, freeMiB: 924 });
  assert.deepEqual(of("plain-1"), { totalMiB: 0, allocatedMiB: 0, freeMiB: 0 });
});

test("bytes are MiB, rounded up for pods and down for nodes", async () => {
  const cluster = healthyCluster();
  const node = cluster.lists[LISTS.nodes]?.[2];
  for (const field of ["capacity", "allocatable"]) put(node, `status/${field}`, { [INTEL]: String((4 << 20) + 5) });
  cluster.lists[LISTS.pods]?.push(
    pod("team", "bytes", "plain-1", { container: limits({ [INTEL]: String((1 << 20) + 1) }) }),
  );
  const status = addonStatus(await snapshotOf(cluster));
  const plain = status.nodes.find(({ name }) => name === "plain-1");
  assert.deepEqual(plain?.epc, { totalMiB: 4, allocatedMiB: 2, freeMiB: 2 });
  assert.equal(plain?.epcName, INTEL);
});

test("each pod's declared EPC and mode", async () => {
  const { pods } = addonStatus(await snapshotOf(healthyCluster()));
  const rows = pods.map(({ name, declaredEpcMiB, declaredMode }) => `${name} ${declaredEpcMiB} ${declaredMode}`);
  assert.deepEqual(rows.sort(), [
    "as-aks 64 out-of-process",
    "by-slot 32 out-of-process",
    "in-process 16 in-process",
    "no-quotes 100 none",
    "own-aesm 10 out-of-process",
    "sgx-quote-helper-sgx-1 10 aesm",
    "sgx-quote-helper-sgx-2 10 aesm",
    "waits 500 none",
  ]);
});

test("components have their versions, nodes their helper, plugin and mode; one node alone on request", async () => {
  const status = addonStatus(await snapshotOf(healthyCluster(), { node: "sgx-1" }));
  assert.deepEqual(
    status.nodes.map(({ name }) => name),
    ["sgx-1"],
  );
  assert.deepEqual(status.nodes[0]?.plugin, { version: "0.1.0", state: "serving", mode: "device" });
  assert.deepEqual(status.nodes[0]?.helper, {
    pod: "sgx-quote-helper-sgx-1",
    version: "0.1.0",
    ready: true,
    why: "init_quote_ex passes",
  });
  assert.deepEqual(status.components[0], { name: "sgx-plugin", desired: 3, ready: 3, versions: ["0.1.0"] });
  assert.deepEqual(status.webhook, { up: true, caEndsAt: "2119-12-31T00:00:00.000Z" });
  assert.equal(status.quoteRoot?.sha256.length, 64);
  assert.equal(status.healthy, true);
});
