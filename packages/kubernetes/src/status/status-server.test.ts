import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, test } from "node:test";
import { KubernetesError } from "../errors.ts";
import { type ListenAddress, parseListenAddress } from "./listen-address.ts";
import { type StatusServer, type StatusSource, startStatusServer } from "./status-server.ts";

const LOCAL: ListenAddress = { host: "127.0.0.1", port: 0 };
let server: StatusServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(source: Partial<StatusSource> = {}): Promise<string> {
  server = await startStatusServer(LOCAL, {
    status: () => ({ state: "serving" }),
    healthy: () => ({ ok: true, why: "ok" }),
    ready: () => ({ ok: false, why: "not registered yet" }),
    ...source,
  });
  return `http://127.0.0.1:${server.address.port}`;
}

/** What comes back for raw bytes, until the server closes. */
function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text)).on("error", reject);
    socket.write(request);
  });
}

test("/status is JSON, never cached", async () => {
  const response = await fetch(`${await serve()}/status?pretty`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(await response.json(), { state: "serving" });
});

test("/healthz and /readyz say by status code and in words", async () => {
  const base = await serve();
  const healthy = await fetch(`${base}/healthz`);
  assert.deepEqual([healthy.status, await healthy.text()], [200, "ok\n"]);
  const ready = await fetch(`${base}/readyz`);
  assert.deepEqual([ready.status, await ready.text()], [503, "not registered yet\n"]);
});

test("/metrics is there only where there are metrics", async () => {
  assert.equal((await fetch(`${await serve()}/metrics`)).status, 404);
  await server?.close();
  const response = await fetch(`${await serve({ metrics: () => "up 1\n" })}/metrics`);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.equal(await response.text(), "up 1\n");
});

test("HEAD answers without a body", async () => {
  const response = await fetch(`${await serve()}/status`, { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
});

test("other methods and request bodies are refused", async () => {
  const base = await serve();
  const post = await fetch(`${base}/status`, { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
  const port = Number(new URL(base).port);
  assert.match(
    await exchange(port, "GET /status HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"),
    /^HTTP\/1.1 413 /,
  );
  assert.match(await exchange(port, `GET /${"x".repeat(9000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1.1 431 /);
});

test("a status that cannot be made is an answer, not the end of the process", async () => {
  const base = await serve({
    status: () => {
      throw new Error("no status today");
    },
  });
  const response = await fetch(`${base}/status`);
  assert.deepEqual([response.status, await response.text()], [500, "no status today\n"]);
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
});

test("an address in use is refused by name", async () => {
  const port = Number(new URL(await serve()).port);
  await assert.rejects(
    startStatusServer({ host: "127.0.0.1", port }, { status: () => 0, healthy: assert.fail, ready: assert.fail }),
    (error) =>
      error instanceof KubernetesError &&
      error.code === "STATUS_ADDRESS_UNUSABLE" &&
      error.message.includes(`127.0.0.1:${port}`),
  );
});

test("addresses are host and port, with brackets around IPv6", () => {
  assert.deepEqual(parseListenAddress("127.0.0.1:9101"), { host: "127.0.0.1", port: 9101 });
  assert.deepEqual(parseListenAddress("[::1]:0"), { host: "::1", port: 0 });
  assert.deepEqual(parseListenAddress(":9101"), { host: "0.0.0.0", port: 9101 });
  for (const wrong of ["", "9101", "localhost", "127.0.0.1:65536", "::1:9101", "a b:1", "host:-1"]) {
    assert.equal(parseListenAddress(wrong), undefined, wrong);
  }
});
