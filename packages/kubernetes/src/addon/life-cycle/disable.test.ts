import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTERS_ANNOTATION } from "../../names.ts";
import { FakeCluster, type StoredObject } from "../testing/fake-cluster.ts";
import {
  common,
  DAEMON_SET,
  disable,
  enable,
  failsWith,
  stateOf,
  virtualClock,
} from "../testing/life-cycle-commands.ts";
import { listAddons } from "./inspect.ts";

function pod(name: string, limits: Record<string, string>): StoredObject {
  const containers = [{ name: "main", resources: { limits } }];
  const metadata = { name, namespace: "default" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { nodeName: "sgx-1", containers },
    status: { phase: "Running" },
  };
}

test("pods that hold SGX resources keep the add-on, and are named", async () => {
  const cluster = new FakeCluster();
  await enable(cluster);
  cluster.put(pod("app", { "kubernetes.azure.com/sgx_epc_mem_in_MiB": "10", cpu: "1" }));
  cluster.put(pod("other", { cpu: "1" }));
  const words =
    /pods hold SGX resources \(1\): default\/app on sgx-1 \(kubernetes\.azure\.com\/sgx_epc_mem_in_MiB: 10\)$/;
  await assert.rejects(disable(cluster), failsWith("ADDON_IN_USE", words));
  assert.equal(stateOf(cluster).phase, "enabled");
  await disable(cluster, { force: true });
  assert.equal(cluster.object(`${DAEMON_SET}sgx-plugin`), undefined);
});

const NODE = "/api/v1/nodes/sgx-1";
function sgxNode(): StoredObject {
  const capacity = {
    cpu: "2",
    "sgx.confcom.dev/quote": "110",
    "sgx.intel.com/enclave": "110",
    "sgx.intel.com/epc": "1024",
  };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: "sgx-1",
      labels: { pool: "sgx", "sgx.confcom.dev/capable": "true" },
      annotations: { [COUNTERS_ANNOTATION]: "sgx.intel.com/epc" },
    },
    status: { capacity, allocatable: capacity },
  };
}

test("nodes lose labels, annotation and counters at once, devices when the kubelet has let go of them", async () => {
  const cluster = new FakeCluster();
  cluster.put(sgxNode());
  // Another vendor's node stays untouched.
  const foreign = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "intel" },
    status: { capacity: { "sgx.intel.com/enclave": "0" } },
  };
  cluster.put(foreign);
  await enable(cluster);
  const shown = () => cluster.object(NODE) as unknown as ReturnType<typeof sgxNode> & { status: { capacity: object } };
  const clock = virtualClock((now) => {
    const zero = { "sgx.confcom.dev/quote": "0", "sgx.intel.com/enclave": "0" };
    if (now === 300_000)
      cluster.put({ ...shown(), status: { capacity: { cpu: "2", ...zero }, allocatable: { cpu: "2", ...zero } } });
    if (now === 100_000) {
      const status = shown().status as unknown as { capacity: Record<string, string> };
      assert.deepEqual(Object.keys(status.capacity), ["cpu", "sgx.confcom.dev/quote", "sgx.intel.com/enclave"]);
      assert.deepEqual(shown().metadata.labels, { pool: "sgx" });
      assert.deepEqual(shown().metadata.annotations, {});
    }
  });
  const { left } = await disable(cluster, { clock });
  assert.deepEqual(left, []);
  assert.deepEqual(shown().status, { capacity: { cpu: "2" }, allocatable: { cpu: "2" } });
  assert.deepEqual(cluster.object("/api/v1/nodes/intel")?.status, foreign.status);
});

test("not waited for, what kubelets still show is told, and disable run later takes it away", async () => {
  const cluster = new FakeCluster();
  cluster.put(sgxNode());
  await enable(cluster);
  const { left } = await disable(cluster, { wait: false });
  assert.deepEqual(left, [{ node: "sgx-1", resources: ["sgx.intel.com/enclave", "sgx.confcom.dev/quote"] }]);
  const status = { capacity: { "sgx.confcom.dev/quote": "0" }, allocatable: {} };
  cluster.put({ apiVersion: "v1", kind: "Node", metadata: { name: "sgx-1" }, status });
  await disable(cluster);
  assert.deepEqual(cluster.object(NODE)?.status, { capacity: {}, allocatable: {} });
  await assert.rejects(disable(cluster), failsWith("ADDON_NOT_INSTALLED"));
});

test("an installation by other means is nobody's add-on: disable touches neither it nor its nodes", async () => {
  const cluster = new FakeCluster();
  const labels = { "app.kubernetes.io/part-of": "confcom" };
  const metadata = { name: "sgx-plugin", namespace: "kube-system", labels };
  cluster.put({ apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec: {} }, "helm");
  const secret = { name: "sgx-webhook-authority", namespace: "kube-system" };
  cluster.put({ apiVersion: "v1", kind: "Secret", metadata: secret }, "sgx-webhook");
  cluster.put(sgxNode());
  const before = cluster.contents();
  await assert.rejects(disable(cluster, { force: true }), failsWith("ADDON_NOT_INSTALLED"));
  assert.deepEqual(cluster.contents(), before);
});

test("what daemons made inside the cluster goes too; with --keep-state what is trusted stays, until a disable without", async () => {
  const cluster = new FakeCluster();
  const before = cluster.contents();
  await enable(cluster, { values: { logLevel: "warn" } });
  const made = (kind: string, name: string) =>
    cluster.put({ apiVersion: "v1", kind, metadata: { name, namespace: "kube-system" } }, "daemon");
  made("ConfigMap", "sgx-quote-root");
  made("Secret", "sgx-pccs-user-token");
  made("Secret", "sgx-webhook-authority");
  await disable(cluster, { keepState: true });
  const left = cluster.paths().filter((path) => !Object.hasOwn(before, path));
  const names = left.map((path) => path.split("/").at(-1));
  assert.deepEqual(
    names.filter((name) => name !== "sgx-pccs"),
    ["sgx-addon", "sgx-quote-root", "sgx-pccs-user-token"],
  );
  assert.equal(stateOf(cluster).phase, "disabled");
  assert.equal((await listAddons(common(cluster).access))[0]?.enabled, false);
  await disable(cluster);
  assert.deepEqual(cluster.contents(), before);
});
