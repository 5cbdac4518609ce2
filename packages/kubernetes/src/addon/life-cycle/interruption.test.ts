import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../api/api-error.ts";
import { HttpClusterAccess } from "../access/http-cluster-access.ts";
import { FakeCluster, type StoredObject } from "../testing/fake-cluster.ts";
import { directConnection } from "../testing/fake-cluster-server.ts";
import { disable, enable, failsWith, STATE, stateOf } from "../testing/life-cycle-commands.ts";

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
