import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { FakeKubelet } from "../testing/fake-kubelet/fake-kubelet.ts";
import { PluginConnection } from "../testing/fake-kubelet/plugin-connection.ts";
import { FakeResource } from "../testing/fake-resource.ts";
import { RecordingReport } from "../testing/recording-report.ts";
import { until } from "../testing/until.ts";
import { type DevicePlugin, startDevicePlugin } from "./device-plugin.ts";

const RESTARTS = 12;
const STREAMS = 500;
const AT_ONCE = 10;

let directory: string;
let kubelet: FakeKubelet;
let plugin: DevicePlugin;
let resource: FakeResource;
let report: RecordingReport;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "confcom-endurance-"));
  kubelet = await FakeKubelet.start({ directory, now: Date.now });
  resource = new FakeResource();
  report = new RecordingReport();
  plugin = await startDevicePlugin({
    resources: [resource],
    directory,
    clock: { now: Date.now, setTimeout, clearTimeout },
    random: Math.random,
    report,
    signal: new AbortController().signal,
  });
  await served();
});

afterEach(async () => {
  await plugin.close();
  kubelet.kill();
  rmSync(directory, { recursive: true });
});

function served(): Promise<void> {
  return until("the list", () => kubelet.resource(resource.resourceName)?.allocatable === 4);
}

/** Descriptors of this process, sockets of both sides among them. */
function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

test(`${RESTARTS} kubelet restarts leave no descriptor, stream, listener or file behind`, async () => {
  await kubelet.restart();
  await served();
  const before = descriptors();
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    await kubelet.restart();
    await served();
  }
  await until("closed sockets", () => descriptors() <= before);
  assert.equal(resource.listeners, 1);
  assert.deepEqual(readdirSync(directory).sort(), [
    "confcom-enclave.sock",
    "kubelet.sock",
    "kubelet_internal_checkpoint",
  ]);
  const opened = report.of("listAndWatchOpened").length;
  await until("every other stream's end", () => report.of("listAndWatchClosed").length === opened - 1);
});

test(`${STREAMS} streams that others open and drop leave nothing behind`, async () => {
  const before = descriptors();
  let received = 0;
  for (let round = 0; round < STREAMS / AT_ONCE; round += 1) {
    const connections = Array.from({ length: AT_ONCE }, () => {
      const connection = new PluginConnection(join(directory, resource.endpoint), Date.now);
      void connection.listAndWatch(() => {
        received += 1;
      });
      return connection;
    });
    await until("their lists", () => received >= (round + 1) * AT_ONCE);
    for (const connection of connections) connection.close();
  }
  await until("their ends", () => report.of("listAndWatchClosed").length >= STREAMS);
  await until("closed sockets", () => descriptors() <= before);
  await served();
  assert.equal(kubelet.registrations.length, 1);
});

test("more streams than anybody needs are refused without a list, and the kubelet keeps its own", async () => {
  let received = 0;
  const refused: string[] = [];
  const connections = Array.from({ length: 50 }, () => {
    const connection = new PluginConnection(join(directory, resource.endpoint), Date.now);
    void connection
      .listAndWatch(() => {
        received += 1;
      })
      .then((why) => refused.push(why));
    return connection;
  });
  await until("an answer to each", () => received + refused.length === 50);
  assert.equal(received, 15);
  assert.match(refused[0] ?? "", /RESOURCE_EXHAUSTED: confcom: .*: 16 streams listen already/);
  await served();
  assert.equal(kubelet.registrations.length, 1);
  for (const connection of connections) connection.close();
});
