import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeCluster, type StoredObject } from "../testing/fake-cluster.ts";
import { common, DAEMON_SET, disable, enable, failsWith, STATE, stateOf } from "../testing/life-cycle-commands.ts";
import { listAddons, showAddon } from "./inspect.ts";

const images = (cluster: FakeCluster, name: string) => {
  const { spec } = cluster.object(DAEMON_SET + name) as unknown as {
    spec: { template: { spec: { containers: { image: string }[]; imagePullSecrets?: { name: string }[] } } };
  };
  return { image: spec.template.spec.containers[0]?.image, secrets: spec.template.spec.imagePullSecrets };
};

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
    failsWith("ADDON_CONFLICT", /: DaemonSet kube-system\/sgx-plugin \(made by helm\);([^;]*;){4} and \d+ more$/),
  );
  assert.deepEqual(helms.writes, []);
  await enable(helms, { forceConflicts: true });
});

test("how many nodes turned out to have SGX is known once everything is ready, and not before", async () => {
  const empty = new FakeCluster();
  assert.equal((await enable(empty, { dryRun: true })).capableNodes, null);
  assert.equal((await enable(empty)).capableNodes, 0);
  const cluster = new FakeCluster();
  const labels = { "sgx.confcom.dev/capable": "true" };
  cluster.put({ apiVersion: "v1", kind: "Node", metadata: { name: "sgx-1", labels } });
  cluster.put({ apiVersion: "v1", kind: "Node", metadata: { name: "plain-1" } });
  assert.equal((await enable(cluster, { wait: false })).capableNodes, null);
  assert.equal((await enable(cluster, { verb: "update" })).capableNodes, 1);
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
