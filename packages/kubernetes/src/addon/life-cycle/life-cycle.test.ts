import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../api/api-error.ts";
import type { Clock } from "../../clock.ts";
import { KubernetesError } from "../../errors.ts";
import { COUNTERS_ANNOTATION } from "../../names.ts";
import { HttpClusterAccess } from "../access/http-cluster-access.ts";
import { FakeCluster, type StoredObject } from "../testing/fake-cluster.ts";
import { directConnection } from "../testing/fake-cluster-server.ts";
import { type DisableOptions, disableAddon } from "./disable.ts";
import { type EnableOptions, enableAddon } from "./enable.ts";
import { listAddons, showAddon } from "./inspect.ts";

/** Time passes when somebody waits. */
function virtualClock(onWait: (now: number) => void = () => undefined): Clock {
  let now = 0;
  return {
    now: () => now,
    setTimeout(run, milliseconds) {
      now += milliseconds;
      onWait(now);
      setImmediate(run);
    },
    clearTimeout: () => undefined,
  };
}

const quiet = { step: () => undefined, detail: () => undefined };
const common = (cluster: FakeCluster, clock = virtualClock()) => ({
  access: new HttpClusterAccess(directConnection(cluster)),
  clock,
  progress: quiet,
  version: "1.0.0",
  namespace: undefined,
  wait: true,
  timeoutMs: 600_000,
  dryRun: false,
});
const enable = (cluster: FakeCluster, more: Partial<EnableOptions> = {}) =>
  enableAddon({
    ...common(cluster),
    verb: "enable",
    quoteHelper: true,
    values: {},
    resetValues: false,
    registry: undefined,
    trust: {},
    forceConflicts: false,
    ...more,
  });
const disable = (cluster: FakeCluster, more: Partial<DisableOptions> = {}) =>
  disableAddon({ ...common(cluster), force: false, keepState: false, ...more });

const failsWith =
  (code: string, words = /./) =>
  (error: unknown) =>
    error instanceof KubernetesError && error.code === code && words.test(error.message);

const DAEMON_SET = "/apis/apps/v1/namespaces/kube-system/daemonsets/";
const STATE = "/api/v1/namespaces/kube-system/configmaps/sgx-addon";
const stateOf = (cluster: FakeCluster) => cluster.object(STATE)?.data as Record<string, string>;
const images = (cluster: FakeCluster, name: string) => {
  const { spec } = cluster.object(DAEMON_SET + name) as unknown as {
    spec: { template: { spec: { containers: { image: string }[]; imagePullSecrets?: { name: string }[] } } };
  };
  return { image: spec.template.spec.containers[0]?.image, secrets: spec.template.spec.imagePullSecrets };
};

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

test("enabled, shown and listed; enabling twice is refused", async () => {
  const cluster = new FakeCluster();
  const { profile, objects } = await enable(cluster, { quoteHelper: false });
  assert.deepEqual(profile, { config: { ACCSGXQuoteHelperEnabled: "false" }, enabled: true, identity: null });
  assert.ok(objects.every(({ action }) => action === "created"));
  assert.ok(cluster.object(`${DAEMON_SET}sgx-plugin`) !== undefined);
  assert.equal(cluster.object(`${DAEMON_SET}sgx-quote-helper`), undefined);
  assert.equal(stateOf(cluster).phase, "enabled");
  const { access } = common(cluster);
  assert.deepEqual(await listAddons(access), [{ api_key: "ACCSGXDevicePlugin", enabled: true, name: "confcom" }]);
  assert.deepEqual((await showAddon(access)).config, { ACCSGXQuoteHelperEnabled: "false" });
  await assert.rejects(enable(cluster), failsWith("ADDON_ENABLED"));
});

test("enabled and disabled again leaves the cluster as it was", async () => {
  const cluster = new FakeCluster();
  const before = cluster.contents();
  await enable(cluster);
  assert.ok(cluster.paths().length > Object.keys(before).length + 5);
  await disable(cluster);
  assert.deepEqual(cluster.contents(), before);
  await assert.rejects(disable(cluster), failsWith("ADDON_NOT_INSTALLED"));
  await assert.rejects(showAddon(common(cluster).access), failsWith("ADDON_NOT_ENABLED"));
});

test("interrupted at any write, enable run again gives what an uninterrupted one gives", async () => {
  const whole = new FakeCluster();
  await enable(whole);
  assert.ok(whole.writes.length > 10);
  for (let at = 0; at < whole.writes.length; at++) {
    const cluster = new FakeCluster();
    cluster.beforeWrite = (_, count) => assert.notEqual(count, at, "killed");
    await assert.rejects(enable(cluster), /killed/);
    cluster.beforeWrite = () => undefined;
    await enable(cluster);
    assert.deepEqual(cluster.contents(), whole.contents(), `killed before ${whole.writes[at]}`);
  }
});

test("interrupted at any write, disable run again leaves nothing", async () => {
  const empty = new FakeCluster().contents();
  const prepared = async () => {
    const cluster = new FakeCluster();
    await enable(cluster, { values: { namespace: "sgx", createNamespace: true } });
    cluster.writes.length = 0;
    return cluster;
  };
  const whole = await prepared();
  await disable(whole);
  assert.deepEqual(whole.contents(), empty);
  for (let at = 0; at < whole.writes.length; at++) {
    const cluster = await prepared();
    cluster.beforeWrite = (_, count) => assert.notEqual(count, at, "killed");
    await assert.rejects(disable(cluster), /killed/);
    cluster.beforeWrite = () => undefined;
    if (at > 0 && stateElsewhere(cluster)) await assert.rejects(enable(cluster), failsWith("ADDON_DISABLING"));
    await disable(cluster);
    assert.deepEqual(cluster.contents(), empty, `killed before ${whole.writes[at]}`);
  }
});

const stateElsewhere = (cluster: FakeCluster) =>
  cluster.object("/api/v1/namespaces/sgx/configmaps/sgx-addon") !== undefined;

test("update keeps the values of the last time, prunes what is not wanted, and without the flag drops the helper", async () => {
  const cluster = new FakeCluster();
  await enable(cluster, { values: { imagePullSecrets: ["mirror"], logLevel: "debug" }, registry: "mirror.example/a/" });
  assert.deepEqual(images(cluster, "sgx-plugin"), {
    image: "mirror.example/a/confcom:1.0.0",
    secrets: [{ name: "mirror" }],
  });
  const update = { verb: "update", values: { logLevel: "warn" }, version: "1.1.0" } as const;
  const { profile, objects, previousVersion } = await enable(cluster, { ...update, quoteHelper: false });
  assert.equal(profile.config?.ACCSGXQuoteHelperEnabled, "false");
  assert.equal(previousVersion, "1.0.0");
  assert.ok(objects.some(({ object, action }) => object.endsWith("/sgx-quote-helper") && action === "pruned"));
  assert.equal(cluster.object(`${DAEMON_SET}sgx-quote-helper`), undefined);
  assert.deepEqual(images(cluster, "sgx-plugin"), {
    image: "mirror.example/a/confcom:1.1.0",
    secrets: [{ name: "mirror" }],
  });
  assert.deepEqual(JSON.parse(stateOf(cluster).values as string), { imagePullSecrets: ["mirror"], logLevel: "warn" });
  await enable(cluster, { ...update, resetValues: true });
  assert.deepEqual(images(cluster, "sgx-plugin"), { image: "localhost/confcom:1.1.0", secrets: undefined });
});

test("an older confcom removes what a newer one added, of kinds that it does not know too", async () => {
  const cluster = new FakeCluster();
  await enable(cluster, { version: "2.0.0" });
  const { access } = common(cluster);
  const labels = { "app.kubernetes.io/part-of": "confcom" };
  await access.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "added", namespace: "default", labels },
  });
  const path = "/apis/example.dev/v1/widgets/added";
  cluster.call("PATCH", `${path}?fieldManager=confcom-addon`, widget, "application/apply-patch+yaml");
  const state = cluster.object(STATE) as StoredObject;
  const reference = { apiVersion: "example.dev/v1", kind: "Widget", resource: "widgets", name: "added" };
  const inventory = JSON.stringify([...JSON.parse(stateOf(cluster).inventory as string), reference]);
  cluster.put({ ...state, data: { ...stateOf(cluster), inventory } });
  const { objects, previousVersion } = await enable(cluster, { verb: "update", version: "1.0.0" });
  assert.equal(previousVersion, "2.0.0");
  const pruned = objects.filter(({ action }) => action === "pruned").map(({ object }) => object);
  assert.deepEqual(pruned.sort(), ["ConfigMap default/added", "Widget added"]);
  assert.equal(cluster.object(path), undefined);
});
const widget = { apiVersion: "example.dev/v1", kind: "Widget", metadata: { name: "added" }, spec: {} };

test("somebody else's objects stay, whatever their label and their place in the inventory", async () => {
  const cluster = new FakeCluster();
  const labels = { "app.kubernetes.io/part-of": "confcom" };
  const theirs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs", namespace: "default", labels } };
  cluster.put(theirs);
  await enable(cluster);
  await enable(cluster, { verb: "update" });
  await disable(cluster);
  assert.ok(cluster.object("/api/v1/namespaces/default/configmaps/theirs") !== undefined);
});

test("fields that others hold are named before anything is changed; forced, they are taken", async () => {
  const cluster = new FakeCluster();
  const spec = { template: { spec: { priorityClassName: "theirs" } } };
  cluster.put({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "sgx-plugin", namespace: "kube-system" },
    spec,
  });
  const words = /DaemonSet kube-system\/sgx-plugin \.spec\.template\.spec\.priorityClassName \(held by kubectl\)/;
  await assert.rejects(enable(cluster), failsWith("ADDON_CONFLICT", words));
  assert.deepEqual(cluster.writes, []);
  await enable(cluster, { forceConflicts: true });
  assert.match(JSON.stringify(cluster.object(`${DAEMON_SET}sgx-plugin`)), /system-node-critical/);
});

test("an installation that Helm made is not taken over, though it says the same in every field", async () => {
  const cluster = new FakeCluster();
  await enable(cluster);
  const helms = new FakeCluster();
  for (const path of cluster.paths().filter((one) => one !== STATE)) {
    helms.put(cluster.object(path) as StoredObject, "helm");
  }
  await assert.rejects(
    enable(helms),
    failsWith("ADDON_CONFLICT", /DaemonSet kube-system\/sgx-plugin \(made by helm\)/),
  );
  assert.deepEqual(helms.writes, []);
  await enable(helms, { forceConflicts: true });
});

test("a dry run changes nothing and says what would be", async () => {
  const cluster = new FakeCluster();
  const { objects } = await enable(cluster, { dryRun: true });
  assert.ok(
    objects.some(({ object, action }) => object === "DaemonSet kube-system/sgx-plugin" && action === "created"),
  );
  await enable(cluster);
  const writes = cluster.writes.length;
  const again = await enable(cluster, { verb: "update", values: { logLevel: "debug" }, dryRun: true });
  const actions = new Map(again.objects.map(({ object, action }) => [object, action]));
  assert.equal(actions.get("DaemonSet kube-system/sgx-plugin"), "changed");
  assert.equal(actions.get("ServiceAccount kube-system/sgx-plugin"), "unchanged");
  const gone = await disable(cluster, { dryRun: true });
  assert.ok(gone.objects.every(({ action }) => action === "pruned"));
  assert.equal(cluster.writes.length, writes);
});

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

test("a second command at the same time stops the first one at its next record", async () => {
  const cluster = new FakeCluster();
  cluster.beforeWrite = (write) => {
    if (!write.endsWith("/daemonsets/sgx-plugin")) return;
    cluster.beforeWrite = () => undefined;
    cluster.put({ ...(cluster.object(STATE) as StoredObject) }, "confcom-addon");
  };
  await assert.rejects(enable(cluster), failsWith("ADDON_STATE_CHANGED"));
});

test("answers that are lost on their way, once each, change nothing: not even those about the state", async () => {
  const whole = new FakeCluster();
  await enable(whole);
  await enable(whole, { verb: "update", values: { logLevel: "warn" } });
  const cluster = new FakeCluster();
  const direct = directConnection(cluster);
  const lost: string[] = [];
  const access = new HttpClusterAccess({
    async call(method, path, content) {
      const answer = await direct.call(method, path, content);
      const what = JSON.stringify([method, path, content?.body]);
      if (method === "GET" || path.includes("dryRun=All") || lost.includes(what)) return answer;
      lost.push(what);
      throw new ApiError("API_SERVER_UNREACHABLE", "the connection was closed in the middle of the answer");
    },
  });
  await enable(cluster, { access });
  await enable(cluster, { access, verb: "update", values: { logLevel: "warn" } });
  assert.deepEqual(cluster.contents(), whole.contents());
  await disable(cluster, { access });
  assert.deepEqual(cluster.contents(), new FakeCluster().contents());
  const states = lost.filter((what) => what.includes("configmaps/sgx-addon"));
  assert.ok(states.length >= 6, `${states.length} answers about the state were lost`);
});

test("what does not become ready in time is named with what its pods wait for, and enable goes on from there", async () => {
  const cluster = new FakeCluster();
  cluster.stuck = true;
  const waiting = { name: "sgx-plugin", state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } };
  cluster.put({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "sgx-plugin-x", namespace: "kube-system", labels: { app: "sgx-plugin" } },
    status: { phase: "Pending", containerStatuses: [waiting] },
  });
  const words = /DaemonSet sgx-plugin: .*pod sgx-plugin-x: sgx-plugin ImagePullBackOff: no such image/;
  await assert.rejects(enable(cluster, { timeoutMs: 5000 }), failsWith("ADDON_NOT_READY", words));
  assert.equal(stateOf(cluster).phase, "enabling");
  cluster.stuck = false;
  await enable(cluster, { values: { logLevel: "warn" } });
  assert.equal(stateOf(cluster).phase, "enabled");
});

test("where it cannot work it says so before it changes anything", async () => {
  const cluster = new FakeCluster();
  await assert.rejects(enable(cluster, { values: { namespace: "sgx" } }), failsWith("ADDON_NAMESPACE_MISSING", /sgx/));
  cluster.minor = "31+";
  await assert.rejects(enable(cluster), failsWith("CLUSTER_TOO_OLD", /1\.31/));
  cluster.minor = "34+";
  const unknown = JSON.parse('{"__proto__": {"x": 1}}') as Record<string, unknown>;
  await assert.rejects(enable(cluster, { values: unknown }), failsWith("MANIFEST_VALUE", /__proto__: it is unknown/));
  for (const registry of ["", "https://mirror.example", "mirror example", "/x"]) {
    await assert.rejects(enable(cluster, { registry }), failsWith("MANIFEST_VALUE", /is not a host and a path/));
  }
  assert.deepEqual(cluster.writes, []);
  await enable(cluster);
  await assert.rejects(
    enable(cluster, { namespace: "default" }),
    failsWith("ADDON_ELSEWHERE", /kube-system, not in default/),
  );
});

test("a PCCS outside of the cluster: what was given becomes what helpers mount, and no secret is in the state", async () => {
  const cluster = new FakeCluster();
  const values = { pccs: { url: "https://pccs.example:8081" } };
  await assert.rejects(enable(cluster, { trust: { ca: "CA" } }), failsWith("MANIFEST_VALUE"));
  await assert.rejects(
    enable(cluster, { values, quoteHelper: false, trust: { ca: "CA" } }),
    failsWith("MANIFEST_VALUE"),
  );
  assert.deepEqual(cluster.writes, []);
  await enable(cluster, { values, trust: { ca: "CA", root: "ROOT", userToken: "very-secret" } });
  const data = (path: string) => cluster.object(`/api/v1/namespaces/kube-system/${path}`)?.data;
  assert.deepEqual(data("configmaps/sgx-quote-root"), { "root-ca.pem": "ROOT", "pccs-ca.pem": "CA" });
  assert.deepEqual(data("secrets/sgx-pccs-user-token"), {
    "user-token": Buffer.from("very-secret").toString("base64"),
  });
  assert.doesNotMatch(JSON.stringify(stateOf(cluster)), /very-secret/);
  await enable(cluster, { verb: "update" });
  assert.ok(data("secrets/sgx-pccs-user-token") !== undefined, "an update without the files keeps them");
});
