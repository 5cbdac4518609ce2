import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ApiError } from "../../api/api-error.ts";
import { KubernetesError } from "../../errors.ts";
import { reference } from "../object-reference.ts";
import { CONFIG_MAPS, NAMESPACES } from "../resource-kinds.ts";
import { FakeCluster } from "../testing/fake-cluster.ts";
import { serveCluster } from "../testing/fake-cluster-server.ts";
import { ApplyConflict } from "./apply-conflict.ts";
import { HttpClusterAccess } from "./http-cluster-access.ts";
import { connectByKubeconfig } from "./kubeconfig-connection.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-kubeconfig-"));
after(() => rmSync(directory, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const unusable = (words: RegExp) => (error: unknown) =>
  error instanceof KubernetesError && error.code === "KUBECONFIG_UNUSABLE" && words.test(error.message);

const configMap = (value: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "x", namespace: "default" },
  data: { key: value },
});

test("every verb over HTTP, with the token of the kubeconfig", async () => {
  const cluster = new FakeCluster();
  const served = await serveCluster(cluster);
  const kubeconfig = file("token", served.kubeconfig);
  const connection = await connectByKubeconfig({ kubeconfig });
  try {
    assert.equal(connection.clusterName, "first");
    const access = new HttpClusterAccess(connection);
    assert.deepEqual(await access.version(), [1, 34]);
    const of = reference(CONFIG_MAPS, "x", "default");
    assert.equal(await access.get(of), undefined);
    const { metadata } = await access.apply(configMap("a"));
    assert.equal((await access.get(of))?.metadata.uid, metadata.uid);
    assert.deepEqual(
      (await access.list(CONFIG_MAPS)).map(({ kind }) => kind),
      ["ConfigMap"],
    );
    assert.deepEqual(await access.list({ ...CONFIG_MAPS, resource: "no-such-kind" }), []);
    await access.mergePatch(of, { metadata: { labels: { a: "b" } } });
    assert.deepEqual((await access.get(of))?.metadata.labels, { a: "b" });
    assert.equal(await access.delete(of, { uid: "another" }), false);
    assert.equal(await access.delete(of, { uid: metadata.uid }), true);
    assert.equal(await access.delete(of), false);
    cluster.put(configMap("theirs"));
    await assert.rejects(access.apply(configMap("a")), (error: unknown) => {
      assert.ok(error instanceof ApplyConflict);
      assert.deepEqual(error.conflicts, [{ field: ".data.key", manager: "kubectl" }]);
      return true;
    });
    assert.equal((await access.list(NAMESPACES)).length, 2);
    assert.deepEqual([...served.tokens], ["Bearer a-token"]);
  } finally {
    connection.close();
    await served.close();
  }
});

test("a program of the kubeconfig is asked for the token, as AKS and EKS have it", async () => {
  const credential = {
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "of-a-program" },
  };
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["-e", `console.log(${JSON.stringify(JSON.stringify(credential))})`],
    interactiveMode: "Never",
  };
  const served = await serveCluster(new FakeCluster(), { exec });
  const connection = await connectByKubeconfig({ kubeconfig: file("exec", served.kubeconfig), context: "second" });
  try {
    assert.equal(connection.clusterName, "second");
    await new HttpClusterAccess(connection).version();
    assert.deepEqual([...served.tokens], ["Bearer of-a-program"]);
  } finally {
    connection.close();
    await served.close();
  }
});

test("what is wrong with a kubeconfig is said", async () => {
  const served = await serveCluster(new FakeCluster());
  await served.close();
  const kubeconfig = file("ok", served.kubeconfig);
  await assert.rejects(
    connectByKubeconfig({ kubeconfig: join(directory, "absent") }),
    unusable(/absent cannot be read/),
  );
  const noContext = connectByKubeconfig({ kubeconfig, context: "third" });
  await assert.rejects(noContext, unusable(/no context third; it has first, second/));
  await assert.rejects(connectByKubeconfig({ kubeconfig: file("empty", "{}") }), unusable(/no current context/));
  const connection = await connectByKubeconfig({ kubeconfig });
  const noAnswer = (error: unknown) => error instanceof ApiError && error.code === "API_SERVER_UNREACHABLE";
  await assert.rejects(new HttpClusterAccess(connection).version(), noAnswer);
});
