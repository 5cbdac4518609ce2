import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { FakeKubelet } from "../testing/fake-kubelet/fake-kubelet.ts";
import { FakeResource, slots } from "../testing/fake-resource.ts";
import { RecordingReport } from "../testing/recording-report.ts";
import { until } from "../testing/until.ts";
import { type DevicePlugin, startDevicePlugin } from "./device-plugin.ts";
import { foreignIds, hasOwnForm } from "./foreign-plugin.ts";

const ENCLAVE = "sgx.intel.com/enclave";
let directory: string;
let kubelet: FakeKubelet;
let plugins: DevicePlugin[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "confcom-foreign-"));
  kubelet = await FakeKubelet.start({ directory, now: Date.now });
  plugins = [];
});

afterEach(async () => {
  await Promise.all(plugins.map((plugin) => plugin.close()));
  kubelet.kill();
  rmSync(directory, { recursive: true });
});

async function start(resource: FakeResource, report = new RecordingReport()): Promise<DevicePlugin> {
  const plugin = await startDevicePlugin({
    resources: [resource],
    directory,
    clock: { now: Date.now, setTimeout, clearTimeout },
    random: Math.random,
    report,
    signal: new AbortController().signal,
  });
  plugins.push(plugin);
  return plugin;
}

/** Another vendor's plugin for the same resource. */
async function startForeign(): Promise<DevicePlugin> {
  const resource = new FakeResource({ endpoint: "vendor.sock" });
  resource.setDevices([0, 1, 2].map((index) => ({ id: `sgx-enclave-${index}`, healthy: true })));
  const plugin = await start(resource);
  await until("the foreign list", () => kubelet.resource(ENCLAVE)?.allocatable === 3);
  return plugin;
}

test("a plugin refuses a resource that another vendor's plugin serves, and names it", async () => {
  await startForeign();
  const report = new RecordingReport();
  const plugin = await start(new FakeResource(), report);
  const end = await plugin.ended;
  assert.equal(end.reason, "foreign");
  assert.ok(end.reason === "foreign");
  assert.equal(end.resourceName, ENCLAVE);
  assert.equal(end.socket, join(directory, "vendor.sock"));
  assert.equal(end.error.code, "FOREIGN_DEVICE_PLUGIN");
  assert.match(end.error.message, /vendor\.sock.*"sgx-enclave-[012]"/);
  assert.equal(report.of("foreign").length, 1);
  assert.equal(kubelet.registrations.length, 1);
  assert.equal(existsSync(join(directory, "confcom-enclave.sock")), false);
  assert.equal(plugin.resources()[0]?.phase, "foreign");
});

test("a plugin leaves a resource to another vendor's plugin that registers it later, and names it", async () => {
  const report = new RecordingReport();
  const plugin = await start(new FakeResource(), report);
  await until("the first list", () => kubelet.resource(ENCLAVE)?.capacity === 4);
  await startForeign();
  const end = await plugin.ended;
  assert.ok(end.reason === "foreign");
  assert.equal(end.socket, join(directory, "vendor.sock"));
  assert.equal(report.of("foreign").length, 1);
});

test("another vendor's ids in the checkpoint are no refusal when its plugin is gone", async () => {
  const foreign = await startForeign();
  await foreign.close();
  await start(new FakeResource());
  await until("the list", () => kubelet.resource(ENCLAVE)?.capacity === 4);
});

test("a socket that never answers holds the registration up for two seconds at most", async () => {
  const foreign = await startForeign();
  await foreign.close();
  const mute = createServer((socket) => socket.unref()).listen(join(directory, "mute.sock"));
  await until("the socket", () => mute.listening);
  await start(new FakeResource());
  await until("the list", () => kubelet.resource(ENCLAVE)?.capacity === 4);
  mute.close();
});

test("a checkpoint that is no checkpoint is no refusal", async () => {
  for (const text of [
    "",
    "{",
    "[]",
    "null",
    '{"Data":null}',
    `{"Data":{"RegisteredDevices":{"${ENCLAVE}":[1,null]}}}`,
  ]) {
    writeFileSync(join(directory, "kubelet_internal_checkpoint"), text);
    const plugin = await start(new FakeResource());
    await until("the list", () => kubelet.resource(ENCLAVE)?.allocatable === 4);
    await plugin.close();
    await until("the end", () => kubelet.resource(ENCLAVE)?.allocatable === 0);
  }
});

test("an earlier plugin of ours with other devices is not a foreign one", async () => {
  const resource = new FakeResource();
  resource.setDevices(slots(110));
  const earlier = await start(resource);
  await until("the first list", () => kubelet.resource(ENCLAVE)?.allocatable === 110);
  await start(new FakeResource());
  assert.equal((await earlier.ended).reason, "replaced");
  await until("the second list", () => kubelet.resource(ENCLAVE)?.allocatable === 4);
});

test("a list of decimal numbers alone is not ours, although each number could be", () => {
  const epc = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
  assert.deepEqual(foreignIds(epc, ["0", "1", "2"]), ["0", "1", "2"]);
  assert.deepEqual(foreignIds(epc, ["A", "1", "epc-2"]), ["epc-2"]);
  assert.deepEqual(foreignIds(epc, []), []);
});

test("ids of our form are base64url digits for EPC and numbered letters for slots", () => {
  const epc = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
  assert.deepEqual(
    ["A", "-_", "zz9", "1024", "epc-1", ""].map((id) => hasOwnForm(epc, id)),
    [true, true, true, false, false, false],
  );
  assert.deepEqual(
    ["e0", "q109", "sgx-enclave-0", "0", ""].map((id) => hasOwnForm(ENCLAVE, id)),
    [true, true, false, false, false],
  );
});
