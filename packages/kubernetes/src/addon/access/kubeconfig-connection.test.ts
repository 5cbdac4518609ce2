import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
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
import { connectByKubeconfig, type KubeconfigChoice } from "./kubeconfig-connection.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-kubeconfig-"));
after(() => rmSync(directory, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const connect = (choice: Partial<KubeconfigChoice>) =>
  connectByKubeconfig({ environment: { PATH: process.env.PATH }, terminal: false, now: Date.now, ...choice });
const unusable = (words: RegExp) => (error: unknown) =>
  error instanceof KubernetesError && error.code === "KUBECONFIG_UNUSABLE" && words.test(error.message);

/** A kubeconfig's user whose credentials come from this script. */
const program = (script: string) => ({
  exec: {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["-e", script],
    interactiveMode: "Never",
  },
});

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
  const connection = await connect({ kubeconfig });
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
  const script = `console.log(${JSON.stringify(JSON.stringify(credential))})`;
  const served = await serveCluster(new FakeCluster(), program(script));
  const connection = await connect({ kubeconfig: file("exec", served.kubeconfig), context: "second" });
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
  await assert.rejects(connect({ kubeconfig: join(directory, "absent") }), unusable(/absent cannot be read/));
  for (const [name, text] of Object.entries({ nothing: "", list: "[]", number: "7" })) {
    await assert.rejects(connect({ kubeconfig: file(name, text) }), unusable(/cannot be read|no current context/));
  }
  await assert.rejects(connect({ kubeconfig: file("broken", "a: [") }), unusable(/broken cannot be read/));
  await assert.rejects(connect({ kubeconfig: directory }), unusable(/cannot be read: EISDIR/));
  await assert.rejects(connect({ kubeconfig: "/dev/zero" }), unusable(/larger than 4194304 bytes/));
  await assert.rejects(connect({ environment: { HOME: directory } }), unusable(/there is no kubeconfig/));
  const ftp = file("ftp", served.kubeconfig.replace("http:", "ftp:"));
  await assert.rejects(connect({ kubeconfig: ftp }), unusable(/no URL of https/));
  const noContext = connect({ kubeconfig, context: "third" });
  await assert.rejects(noContext, unusable(/no context third; it has first, second/));
  await assert.rejects(connect({ kubeconfig: file("empty", "{}") }), unusable(/no current context/));
  const connection = await connect({ kubeconfig });
  const noAnswer = (error: unknown) => error instanceof ApiError && error.code === "API_SERVER_UNREACHABLE";
  await assert.rejects(new HttpClusterAccess(connection).version(), noAnswer);
});

test("a kubeconfig through a pipe is read; one that nobody writes to is not waited for", async () => {
  const served = await serveCluster(new FakeCluster());
  await served.close();
  const pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  await assert.rejects(connect({ kubeconfig: pipe }), unusable(/pipe cannot be read: .*empty/));
  const writer = spawn("sh", ["-c", `exec >"$0"; sleep 0.1; printf %s "$1"`, pipe, served.kubeconfig]);
  const reader = openSync(pipe, constants.O_RDONLY);
  try {
    assert.equal((await connect({ kubeconfig: pipe })).clusterName, "first");
  } finally {
    closeSync(reader);
    writer.kill();
  }
});

test("the files of KUBECONFIG are one", async () => {
  const contexts = [{ name: "theirs", context: { cluster: "fake", user: "administrator" } }];
  const served = await serveCluster(new FakeCluster());
  await served.close();
  const KUBECONFIG = `${file("of-contexts", JSON.stringify({ contexts }))}:${file("of-cluster", served.kubeconfig)}`;
  assert.equal((await connect({ environment: { KUBECONFIG }, context: "theirs" })).clusterName, "theirs");
  assert.equal((await connect({ environment: { KUBECONFIG } })).clusterName, "first");
});

test("a program that hangs, fails or prints no credential is said, and nothing of what it printed", async () => {
  const hostile = async (script: string, words: RegExp, programPatience = 30_000) => {
    const served = await serveCluster(new FakeCluster(), program(script));
    const connection = await connect({ kubeconfig: file("hostile", served.kubeconfig), programPatience });
    try {
      await assert.rejects(new HttpClusterAccess(connection).version(), unusable(words));
      assert.equal(served.connections(), 0);
    } finally {
      connection.close();
      await served.close();
    }
  };
  await hostile("setInterval(() => 0, 1000)", /gave none within 0\.2 s$/, 200);
  await hostile("process.exit(3)", /ended with exit status 3$/);
  await hostile("console.log('secret')", /printed none$/);
  await hostile(`console.log('{"status":{"token":"secret\\nX-Other: y"}}')`, /printed none$/);
  await hostile("console.log('x'.repeat(2 << 20))", /printed more than 1048576 bytes$/);
  const absent = await serveCluster(new FakeCluster(), { exec: { command: join(directory, "no-such-program") } });
  await absent.close();
  const connection = await connect({ kubeconfig: file("absent-program", absent.kubeconfig) });
  await assert.rejects(new HttpClusterAccess(connection).version(), unusable(/no-such-program.* cannot be run$/));
});

test("a credential that has expired is asked for again, one that has not is not", async () => {
  const counter = file("asked", "");
  const script = (expires: string) =>
    `require("fs").appendFileSync(${JSON.stringify(counter)}, "x");
     console.log(JSON.stringify({ status: { token: "t", expirationTimestamp: "${expires}" } }))`;
  for (const [expires, asked] of [
    ["2000-01-01T00:00:00Z", 3],
    ["2999-01-01T00:00:00Z", 1],
  ] as const) {
    writeFileSync(counter, "");
    const served = await serveCluster(new FakeCluster(), program(script(expires)));
    const connection = await connect({ kubeconfig: file("expires", served.kubeconfig) });
    for (let call = 0; call < 3; call++) await new HttpClusterAccess(connection).version();
    assert.equal(readFileSync(counter, "utf8").length, asked);
    connection.close();
    await served.close();
  }
});

test("calls one after the other share a connection", async () => {
  const served = await serveCluster(new FakeCluster());
  const connection = await connect({ kubeconfig: file("kept", served.kubeconfig) });
  const access = new HttpClusterAccess(connection);
  for (let call = 0; call < 20; call++) await access.version();
  assert.equal(served.connections(), 1);
  connection.close();
  await served.close();
});

test("over TLS they share one too, until the credentials are others", async () => {
  const certificate = fixture("server-certificate.pem");
  const server = createServer({ key: fixture("server-key.pem"), cert: certificate }, (_, response) => {
    response.end('{"major":"1","minor":"34"}');
  });
  let connections = 0;
  server.on("secureConnection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const [cert, key] = [file("client.pem", certificate), file("client-key.pem", fixture("server-key.pem"))];
  const kubeconfig = JSON.stringify({
    clusters: [
      {
        name: "c",
        cluster: {
          server: `https://127.0.0.1:${port}`,
          "certificate-authority-data": Buffer.from(certificate).toString("base64"),
        },
      },
    ],
    users: [{ name: "u", user: { "client-certificate": cert, "client-key": key } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  });
  const connection = await connect({ kubeconfig: file("tls", kubeconfig) });
  try {
    const access = new HttpClusterAccess(connection);
    for (let call = 0; call < 10; call++) await access.version();
    assert.equal(connections, 1);
    file("client.pem", `${certificate}\n`);
    for (let call = 0; call < 10; call++) await access.version();
    assert.equal(connections, 2);
  } finally {
    connection.close();
    server.closeAllConnections();
    server.close();
  }
});

const fixture = (name: string) => readFileSync(new URL(`../../api/fixtures/${name}`, import.meta.url), "utf8");
