import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type QuotingPlatform, type RunningServer, serve } from "@confcom/aesm";
import { openSoftwarePlatform, type SoftwarePlatform } from "@confcom/quoting/software";
import { openState, systemRandom } from "../state.ts";
import { HealthEndpoint } from "./health-endpoint.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-health-"));
after(() => rmSync(directory, { recursive: true, force: true }));

let count = 0;

/** A helper on one event loop, with its health endpoint. */
async function helper(
  body: (world: {
    running: RunningServer;
    health: HealthEndpoint;
    platform: SoftwarePlatform;
    path: string;
  }) => Promise<void>,
  change: (platform: QuotingPlatform) => void = () => {},
): Promise<void> {
  const path = join(directory, `${++count}.socket`);
  const platform = await openSoftwarePlatform({
    state: openState(join(directory, `state-${count}`), () => {}),
    now: () => new Date(),
    random: systemRandom,
    warn: () => {},
  });
  change(platform);
  const running = await serve({ socketPath: path, platform });
  const listen = { host: "127.0.0.1", port: 0 };
  const health = await HealthEndpoint.open({ listen, node: "node-1", workers: 1 }, running.socketFile);
  health.platformOpened(platform);
  health.poolStarted(() => [running.server.counters.snapshot()]);
  try {
    await body({ running, health, platform, path });
  } finally {
    await health.close();
    await running.close(100);
    await platform.close();
  }
}

async function get(health: HealthEndpoint, path: string): Promise<{ status: number; text: string }> {
  const { host, port } = health.address;
  const response = await fetch(`http://${host}:${port}${path}`);
  return { status: response.status, text: await response.text() };
}

function listenOn(path: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

test("503 until the socket has its path, then 200 after a real init_quote_ex, which makes the key", () =>
  helper(async ({ health }) => {
    assert.deepEqual(await get(health, "/readyz"), {
      status: 503,
      text: "starting: the socket is not in its place yet\n",
    });
    health.serving();
    assert.equal((await get(health, "/readyz")).status, 200);
    assert.equal((await get(health, "/healthz")).status, 200);
    const status = JSON.parse((await get(health, "/status")).text);
    assert.equal(status.node, "node-1");
    assert.deepEqual([status.phase, status.ready.ok, status.socket.ours], ["serving", true, true]);
    assert.match(status.platform.attestationKey, /^[0-9a-f]{64}$/);
    assert.deepEqual(status.connections.answers, [{ operation: "init_quote_ex", code: 0, count: 1 }]);
  }));

test("503 when the socket was removed, at once", () =>
  helper(async ({ health, path }) => {
    health.serving();
    assert.equal((await get(health, "/readyz")).status, 200);
    unlinkSync(path);
    assert.deepEqual(await get(health, "/readyz"), { status: 503, text: `${path} is gone: somebody removed it\n` });
  }));

test("503 when another process's socket lies at the path, although that one answers", () =>
  helper(async ({ health, path }) => {
    health.serving();
    assert.equal((await get(health, "/readyz")).status, 200);
    const other = await listenOn(`${path}.other`);
    renameSync(`${path}.other`, path);
    const { status, text } = await get(health, "/readyz");
    assert.equal(status, 503);
    assert.match(text, /not the socket that this process bound/);
    await new Promise((resolve) => other.close(resolve));
  }));

test("503 with the service's own refusal when init_quote_ex fails", () =>
  helper(
    async ({ health }) => {
      health.serving();
      const { status, text } = await get(health, "/readyz");
      assert.equal(status, 503);
      assert.match(text, /init_quote_ex: the service answered/);
    },
    (platform) => {
      platform.initQuote = () => {
        throw new Error("no key today");
      };
    },
  ));

test("503 while stopping; the status says why", () =>
  helper(async ({ health }) => {
    health.serving();
    health.stopping("SIGTERM");
    assert.deepEqual(await get(health, "/readyz"), { status: 503, text: "stopping: SIGTERM\n" });
    assert.equal(JSON.parse((await get(health, "/status")).text).phase, "stopping");
    assert.equal((await get(health, "/healthz")).status, 200, "a helper that drains is not to be killed");
  }));

test("metrics count answers by operation and code", () =>
  helper(async ({ health }) => {
    health.serving();
    await get(health, "/readyz");
    const { text } = await get(health, "/metrics");
    assert.match(text, /^confcom_quote_helper_ready 1$/m);
    assert.match(text, /^confcom_quote_helper_answers_total\{operation="init_quote_ex",code="0"\} 1$/m);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
  }));
