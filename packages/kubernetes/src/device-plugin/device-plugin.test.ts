import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Clock } from "../clock.ts";
import { FakeKubelet } from "../testing/fake-kubelet/fake-kubelet.ts";
import { FakeResource, slots } from "../testing/fake-resource.ts";
import { RecordingReport } from "../testing/recording-report.ts";
import { until } from "../testing/until.ts";
import { type DevicePlugin, startDevicePlugin } from "./device-plugin.ts";
import type { PublishedResource } from "./published-resource.ts";

const clock = { now: Date.now, setTimeout, clearTimeout };
/** Ten seconds pass in a fifth of a second. */
const hurriedClock = {
  now: () => Date.now() * 50,
  setTimeout: (run: () => void, milliseconds: number) => setTimeout(run, milliseconds / 50),
  clearTimeout,
};
const ENCLAVE = "sgx.intel.com/enclave";
const POD = { podUid: "u1", namespace: "default", pod: "app", container: "main" };

let directory: string;
let kubelet: FakeKubelet | undefined;
let plugins: DevicePlugin[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "confcom-plugin-"));
  plugins = [];
});

afterEach(async () => {
  await Promise.all(plugins.map((plugin) => plugin.close()));
  kubelet?.kill();
  kubelet = undefined;
  rmSync(directory, { recursive: true });
});

async function startKubelet(): Promise<FakeKubelet> {
  kubelet = await FakeKubelet.start({ directory, now: Date.now });
  return kubelet;
}

async function start(
  resources: readonly PublishedResource[],
  report = new RecordingReport(),
  signal = new AbortController().signal,
  time: Clock = clock,
): Promise<DevicePlugin> {
  const plugin = await startDevicePlugin({ resources, directory, clock: time, random: Math.random, report, signal });
  plugins.push(plugin);
  return plugin;
}

function allocatable(resourceName = ENCLAVE): number | undefined {
  return kubelet?.resource(resourceName)?.allocatable;
}

test("a plugin registers, and the kubelet knows its devices", async () => {
  const kubelet = await startKubelet();
  const plugin = await start([new FakeResource()]);
  await until("four devices", () => allocatable() === 4);
  assert.deepEqual(kubelet.registrations, [{ resourceName: ENCLAVE, endpoint: "confcom-enclave.sock" }]);
  const [state] = plugin.resources();
  assert.equal(state?.phase, "registered");
  assert.equal(state?.listAndWatchOpen, true);
  assert.equal(state?.generation, 1);
  assert.equal(state?.total, 4);
});

test("each resource has its own socket and registration", async () => {
  await startKubelet();
  await start([
    new FakeResource(),
    new FakeResource({ resourceName: "sgx.intel.com/provision", endpoint: "confcom-provision.sock", devices: 2 }),
  ]);
  await until("both", () => allocatable() === 4 && allocatable("sgx.intel.com/provision") === 2);
  assert.deepEqual(
    readdirSync(directory)
      .filter((name) => name.endsWith(".sock"))
      .sort(),
    ["confcom-enclave.sock", "confcom-provision.sock", "kubelet.sock"],
  );
});

test("a kubelet that registers a plugin but never calls it is diagnosed after 10 s", async () => {
  const kubelet = await startKubelet();
  kubelet.behaviour.silent = true;
  const report = new RecordingReport();
  const plugin = await start([new FakeResource()], report, undefined, hurriedClock);
  await until("the diagnosis", () => report.of("neverCalled").length === 1);
  assert.equal(report.of("neverCalled")[0]?.afterMs, 10_000);
  assert.equal(plugin.resources()[0]?.lastError?.code, "KUBELET_NEVER_CALLED");
  assert.equal(plugin.resources()[0]?.listAndWatchOpen, false);
  kubelet.behaviour.silent = false;
  await kubelet.restart();
  await until("the list", () => allocatable() === 4);
  await until("the all-clear", () => plugin.resources()[0]?.lastError === undefined);
});

test("a kubelet that calls is not diagnosed", async () => {
  await startKubelet();
  const report = new RecordingReport();
  const plugin = await start([new FakeResource()], report, undefined, hurriedClock);
  await until("the list", () => allocatable() === 4);
  const opened = hurriedClock.now();
  await until("12 of the clock's seconds", () => hurriedClock.now() - opened > 12_000);
  assert.equal(report.of("neverCalled").length, 0);
  assert.equal(plugin.resources()[0]?.generation, 1);
});

test("a changed list is sent once, an unchanged one not at all", async () => {
  const kubelet = await startKubelet();
  const resource = new FakeResource();
  await start([resource]);
  await until("the list", () => allocatable() === 4);
  resource.setDevices(slots(4));
  resource.setDevices(slots(7));
  resource.setDevices([...slots(5), { id: "e5", healthy: false }]);
  await until("the new list", () => allocatable() === 5);
  assert.equal(kubelet.resource(ENCLAVE)?.capacity, 6);
  assert.equal(kubelet.listsReceived.get(ENCLAVE), 2);
});

test("an allocation reaches the container as the resource says it", async () => {
  const kubelet = await startKubelet();
  const report = new RecordingReport();
  await start([new FakeResource()], report);
  await until("the list", () => allocatable() === 4);
  const response = await kubelet.allocate(ENCLAVE, 3, POD);
  assert.deepEqual(response.envs, { COUNT: "3" });
  assert.equal(response.mounts[0]?.readOnly, true);
  assert.equal(response.devices[0]?.hostPath, "/dev/sgx_enclave");
  assert.equal(response.devices[0]?.permissions, "rw");
  assert.equal(report.of("allocated")[0]?.ids.length, 3);
});

test("a restarted kubelet gets socket and registration again", async () => {
  const kubelet = await startKubelet();
  const plugin = await start([new FakeResource()]);
  for (let restart = 1; restart <= 3; restart += 1) {
    await until("the list", () => allocatable() === 4);
    await kubelet.restart();
  }
  await until("the list after the restarts", () => allocatable() === 4);
  assert.ok((plugin.resources()[0]?.generation ?? 0) >= 4);
});

test("a plugin that starts before the kubelet registers when it comes", async () => {
  const report = new RecordingReport();
  await start([new FakeResource()], report);
  await until("a failed registration", () => report.of("registrationFailed").length > 0);
  assert.equal(report.of("registrationFailed")[0]?.error.code, "KUBELET_UNREACHABLE");
  await startKubelet();
  await until("the list", () => allocatable() === 4);
});

test("a plugin whose socket is removed makes it again", async () => {
  await startKubelet();
  await start([new FakeResource()]);
  await until("the list", () => allocatable() === 4);
  rmSync(join(directory, "confcom-enclave.sock"));
  await until("the socket", () => existsSync(join(directory, "confcom-enclave.sock")));
  await until("the list", () => allocatable() === 4);
});

test("a refused registration is tried again and says why", async () => {
  const kubelet = await startKubelet();
  kubelet.behaviour.refuse = "no more plugins today";
  const report = new RecordingReport();
  await start([new FakeResource()], report);
  await until("two refusals", () => report.of("registrationFailed").length === 2);
  assert.equal(report.of("registrationFailed")[0]?.error.code, "KUBELET_REFUSED_REGISTRATION");
  assert.match(report.of("registrationFailed")[0]?.error.message ?? "", /no more plugins today/);
  kubelet.behaviour.refuse = undefined;
  await until("the list", () => allocatable() === 4);
});

test("closing removes the plugin's socket and ends the kubelet's stream", async () => {
  const kubelet = await startKubelet();
  const plugin = await start([new FakeResource()]);
  await until("the list", () => allocatable() === 4);
  await plugin.close();
  assert.equal(existsSync(join(directory, "confcom-enclave.sock")), false);
  assert.deepEqual(await plugin.ended, { reason: "stopped" });
  await until("the end", () => allocatable() === 0);
  assert.equal(kubelet.resource(ENCLAVE)?.capacity, 4);
});

test("an aborted signal closes the plugin", async () => {
  const stop = new AbortController();
  const plugin = await start([new FakeResource()], new RecordingReport(), stop.signal);
  stop.abort();
  assert.deepEqual(await plugin.ended, { reason: "stopped" });
});

test("closing does not wait for a kubelet that does not answer", async () => {
  const kubelet = await startKubelet();
  kubelet.behaviour.hang = true;
  const plugin = await start([new FakeResource()]);
  await until("the registration", () => kubelet.registrations.length === 1);
  await plugin.close();
  assert.deepEqual(await plugin.ended, { reason: "stopped" });
});

test("a later plugin of ours takes over, and the earlier one leaves", async () => {
  await startKubelet();
  const report = new RecordingReport();
  const earlier = await start([new FakeResource({ devices: 4 })], report);
  await until("the first list", () => allocatable() === 4);
  await start([new FakeResource({ devices: 9 })]);
  assert.deepEqual(await earlier.ended, { reason: "replaced" });
  await until("the second list", () => allocatable() === 9);
  assert.equal(report.of("replaced").length, 1);
  assert.equal(earlier.resources()[0]?.phase, "replaced");
  assert.equal(existsSync(join(directory, "confcom-enclave.sock")), true);
});

test("a stream of somebody else that ends costs the kubelet this plugin's, which registers again at once", async () => {
  const kubelet = await startKubelet();
  const report = new RecordingReport();
  const earlier = await start([new FakeResource({ endpoint: "confcom-earlier.sock" })]);
  await until("the first list", () => allocatable() === 4);
  const plugin = await start([new FakeResource({ devices: 9 })], report);
  await until("the second list", () => allocatable() === 9);
  await earlier.close();
  await until("the stream's end", () => report.of("listAndWatchClosed").length === 1);
  await until("the list again", () => allocatable() === 9 && plugin.resources()[0]?.generation === 2);
  assert.equal(kubelet.endedStreams.length, 2);
});

test("a list that the kubelet cannot take is registered again ever more slowly", async () => {
  const kubelet = await startKubelet();
  const report = new RecordingReport();
  const plugin = await start([new FakeResource()], report, undefined, hurriedClock);
  for (let round = 0; round < 6; round += 1) {
    await until("a stream", () => plugin.resources()[0]?.generation === round + 1 && allocatable() === 4);
    kubelet.connection(ENCLAVE)?.close();
    await until("its end", () => report.of("listAndWatchClosed").length === round + 1);
  }
  const closed = report.all.flatMap((one, at) => (one.kind === "listAndWatchClosed" ? [at] : []));
  assert.equal(closed.length, 6);
  assert.equal(report.of("registrationFailed").length, 0);
});

test("a plugin of which one resource is taken keeps the others", async () => {
  await startKubelet();
  const other = { resourceName: "sgx.intel.com/provision", endpoint: "confcom-provision.sock" };
  const earlier = await start([new FakeResource(), new FakeResource({ ...other, devices: 3 })]);
  await until("both lists", () => allocatable() === 4 && allocatable(other.resourceName) === 3);
  await start([new FakeResource({ devices: 9 })]);
  await until("the takeover", () => allocatable() === 9);
  await until("the earlier one's leave", () => earlier.resources()[0]?.phase === "replaced");
  assert.equal(earlier.resources()[1]?.phase, "registered");
  assert.equal(allocatable(other.resourceName), 3);
});

test("resources can be added and taken away while the plugin runs", async () => {
  await startKubelet();
  const first = new FakeResource();
  const second = new FakeResource({ resourceName: "sgx.intel.com/provision", endpoint: "confcom-provision.sock" });
  const plugin = await start([]);
  assert.deepEqual(plugin.resources(), []);
  await plugin.setResources([first]);
  await until("the first", () => allocatable() === 4);
  await plugin.setResources([first, second]);
  await until("the second", () => allocatable(second.resourceName) === 4);
  await plugin.setResources([second]);
  await until("the first's end", () => allocatable() === 0);
  assert.equal(plugin.resources().length, 1);
  assert.equal(first.listeners, 0);
  assert.equal(plugin.resources()[0]?.generation, 1);
});

test("a list above the kubelet's limit is not sent, and says so", async () => {
  const kubelet = await startKubelet();
  const report = new RecordingReport();
  const resource = new FakeResource();
  const plugin = await start([resource], report);
  await until("the list", () => allocatable() === 4);
  resource.setDevices(slots(300_000));
  await until("the report", () => report.of("tooLarge").length === 1);
  assert.equal(report.of("tooLarge")[0]?.error.code, "DEVICE_LIST_TOO_LARGE");
  assert.equal(plugin.resources()[0]?.lastError?.code, "DEVICE_LIST_TOO_LARGE");
  assert.equal(plugin.resources()[0]?.total, 4);
  resource.setDevices(slots(5));
  await until("the next list", () => allocatable() === 5);
  assert.equal(plugin.resources()[0]?.lastError, undefined);
  assert.equal(kubelet.listsReceived.get(ENCLAVE), 2);
});

test("a resource that starts with too many devices registers when it has fewer", async () => {
  const kubelet = await startKubelet();
  const report = new RecordingReport();
  const resource = new FakeResource({ devices: 300_000 });
  await start([resource], report);
  assert.equal(report.of("tooLarge").length, 1);
  resource.setDevices(slots(6));
  await until("the list", () => allocatable() === 6);
  assert.equal(kubelet.registrations.length, 1);
});

test("somebody else's file at the endpoint's path is left alone when the plugin closes", async () => {
  const plugin = await start([new FakeResource()]);
  await until("the socket", () => existsSync(join(directory, "confcom-enclave.sock")));
  rmSync(join(directory, "confcom-enclave.sock"));
  writeFileSync(join(directory, "confcom-enclave.sock"), "not a socket");
  await plugin.close();
  assert.equal(existsSync(join(directory, "confcom-enclave.sock")), true);
});

test("nothing but the endpoints is left in the directory", async () => {
  await startKubelet();
  await start([new FakeResource()]);
  await until("the list", () => allocatable() === 4);
  const names = readdirSync(directory).sort();
  assert.deepEqual(names, ["confcom-enclave.sock", "kubelet.sock", "kubelet_internal_checkpoint"]);
});

test("a directory that does not exist yet is served when it does", async () => {
  rmSync(directory, { recursive: true });
  const report = new RecordingReport();
  await start([new FakeResource()], report);
  await until("the failure", () => report.of("registrationFailed").length > 0);
  assert.equal(report.of("registrationFailed")[0]?.error.code, "ENDPOINT_UNUSABLE");
  await startKubelet();
  await until("the list", () => allocatable() === 4);
});

test("a device and inode number is a bound socket's alone, even after its file is gone", async () => {
  const first = await listening(join(directory, "a.sock"));
  const plugin = await start([new FakeResource()]);
  await until("the socket", () => existsSync(join(directory, "confcom-enclave.sock")));
  rmSync(join(directory, "confcom-enclave.sock"));
  const others = await Promise.all([...Array(20).keys()].map((index) => listening(join(directory, `b${index}`))));
  await until("the socket again", () => existsSync(join(directory, "confcom-enclave.sock")));
  assert.equal(plugin.resources()[0]?.phase, "starting");
  for (const server of [first, ...others]) server.close();
});

async function listening(path: string): Promise<Server> {
  const server = createServer().listen(path);
  await until("the socket", () => server.listening);
  return server;
}
