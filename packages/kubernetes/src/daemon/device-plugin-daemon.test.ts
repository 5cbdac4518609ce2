import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Clock } from "../clock.ts";
import { KubernetesError } from "../errors.ts";
import { PodResourcesClient } from "../pod-resources/pod-resources-client.ts";
import type { SgxNode } from "../sgx-node/sgx-node.ts";
import { decodePluginStatus } from "../status/decode-plugin-status.ts";
import { FakeKubelet } from "../testing/fake-kubelet/fake-kubelet.ts";
import { until } from "../testing/until.ts";
import { type DaemonEnd, DevicePluginDaemon, type DevicePluginDaemonOptions } from "./device-plugin-daemon.ts";
import { listens } from "./socket-listener.ts";

const EPC = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
const ENCLAVE = "sgx.intel.com/enclave";
const PROVISION = "sgx.intel.com/provision";
const QUOTE = "sgx.confcom.dev/quote";
const POD = { podUid: "u1", namespace: "default", pod: "app", container: "main" };
const MIB = 1024 * 1024;

/** Five seconds pass in a quarter of a second. */
const started = performance.now();
const hurriedClock: Clock = {
  now: () => Date.parse("2026-01-02T03:04:05Z") + (performance.now() - started) * 20,
  setTimeout: (run, milliseconds) => setTimeout(run, milliseconds / 20),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
/** Deadlines of gRPC are real times. */
const realClock = { now: Date.now };

let directory: string;
let kubelet: FakeKubelet;
let node: SgxNode;
let stops: AbortController[];
let ends: Promise<DaemonEnd>[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "confcom-daemon-"));
  kubelet = await FakeKubelet.start({ directory, podResourcesSocket: podResourcesSocket(), now: Date.now });
  node = sgxNode(64);
  stops = [];
  ends = [];
});

afterEach(async () => {
  for (const stop of stops) stop.abort();
  await Promise.all(ends);
  kubelet.stop();
  rmSync(directory, { recursive: true });
});

const podResourcesSocket = () => join(directory, "pod-resources.sock");

function sgxNode(totalMiB: number, options: { readonly devices?: boolean } = {}): SgxNode {
  const present = options.devices ?? true;
  const device = (hostPath: string) => ({ name: hostPath, hostPath, inode: 1, deviceNumber: 1, mode: 0o666 });
  return {
    capable: present && totalMiB > 0,
    devices: {
      enclave: present ? device("/dev/sgx_enclave") : undefined,
      provision: present ? device("/dev/sgx_provision") : undefined,
      generation: present ? "in-tree" : null,
      problems: present ? [] : [{ code: "SGX_DEVICE_MISSING", message: "no /dev/sgx_enclave", nextStep: "load it" }],
    },
    epc: {
      totalMiB,
      totalBytes: totalMiB * MIB,
      source: totalMiB > 0 ? "sysfs" : null,
      perNumaNode: totalMiB > 0 ? [{ node: 0, bytes: totalMiB * MIB, mib: totalMiB }] : [],
      tried: [],
      problem: undefined,
    },
    problems: present ? [] : [{ code: "SGX_DEVICE_MISSING", message: "no /dev/sgx_enclave", nextStep: "load it" }],
  };
}

function start(options: Partial<DevicePluginDaemonOptions> = {}): DevicePluginDaemon {
  const stop = new AbortController();
  const daemon = new DevicePluginDaemon({
    version: "0.1.0",
    node: "worker-1",
    resourceNames: "azure",
    mode: "auto",
    numa: false,
    provisionWithEpc: false,
    slots: { enclave: 10, provision: 10, quote: 10 },
    aesmDirectory: "/var/run/aesmd",
    directory,
    probe: () => node,
    inspectDevices: () => node.devices,
    rescanMs: 1000,
    podResources: new PodResourcesClient({ clock: realClock, socketPath: podResourcesSocket() }),
    waitForHelper: async () => {},
    listens,
    clock: hurriedClock,
    random: Math.random,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    residentBytes: () => 1,
    ...options,
  });
  stops.push(stop);
  ends.push(daemon.run(stop.signal));
  return daemon;
}

const allocatable = (name: string) => kubelet.resource(name)?.allocatable;
/** The kubelet has the list of every resource that the daemon serves. */
const everythingRead = (daemon: DevicePluginDaemon) =>
  until("everything read by the kubelet", () => {
    const { resources } = daemon.status();
    return daemon.ready().ok && resources.every(({ name, total }) => kubelet.resource(name)?.capacity === total);
  });
const codes = (daemon: DevicePluginDaemon) => daemon.status().problems.map(({ code }) => code);
const reasons = (daemon: DevicePluginDaemon) => daemon.status().events.map(({ reason }) => reason);
const resource = (daemon: DevicePluginDaemon, name: string) =>
  daemon.status().resources.find((status) => status.name === name);

test("on a node with SGX the kubelet is offered EPC and the three kinds of slots", async () => {
  const daemon = start();
  assert.equal(daemon.status().state, "starting");
  await everythingRead(daemon);
  assert.deepEqual([EPC, ENCLAVE, PROVISION, QUOTE].map(allocatable), [64, 10, 10, 10]);
  const status = daemon.status();
  assert.equal(status.state, "serving");
  assert.equal(status.publishing?.mode, "device");
  assert.deepEqual(status.counters, []);
  assert.deepEqual(status.problems, []);
  assert.deepEqual(reasons(daemon), ["SgxFound", "EpcPublishing"]);
});

test("its status is what its reader takes", async () => {
  const daemon = start();
  await everythingRead(daemon);
  const text = JSON.stringify(daemon.status());
  assert.deepEqual(decodePluginStatus(new TextEncoder().encode(text)), JSON.parse(text));
});

test("on a node without SGX nothing is registered: it is idle, ready, and without problems", async () => {
  node = sgxNode(0, { devices: false });
  const daemon = start();
  await until("idle", () => daemon.status().state === "idle");
  assert.equal(daemon.ready().ok, true);
  assert.deepEqual(codes(daemon), []);
  assert.deepEqual(kubelet.registrations, []);
});

test("SGX that appears later is offered then", async () => {
  node = sgxNode(0, { devices: false });
  const daemon = start();
  await until("idle", () => daemon.status().state === "idle");
  node = sgxNode(32);
  await until("registered", () => allocatable(EPC) === 32 && allocatable(QUOTE) === 10);
  assert.equal(daemon.status().state, "serving");
  assert.ok(reasons(daemon).includes("SgxFound"));
});

test("a device that vanishes makes everything that gives it unhealthy, and comes back", async () => {
  const daemon = start();
  await everythingRead(daemon);
  node = sgxNode(64, { devices: false });
  await until("unhealthy", () => allocatable(EPC) === 0 && allocatable(ENCLAVE) === 0 && allocatable(PROVISION) === 0);
  assert.equal(kubelet.resource(EPC)?.capacity, 64);
  assert.equal(allocatable(QUOTE), 10);
  assert.deepEqual(codes(daemon), ["SGX_DEVICE_MISSING"]);
  assert.equal(daemon.status().sgx.capable, false);
  node = sgxNode(64);
  await until("healthy", () => allocatable(EPC) === 64 && allocatable(ENCLAVE) === 10);
  assert.deepEqual(codes(daemon), []);
  assert.deepEqual(reasons(daemon).slice(2), ["SgxDeviceMissing", "SgxLost"]);
});

test("when EPC shrinks, free ids leave and held ones stay; too much held is a problem until it is freed", async () => {
  const daemon = start();
  await everythingRead(daemon);
  await kubelet.allocate(EPC, 20, POD);
  const held = new Set(kubelet.allocations[0]?.ids);
  node = sgxNode(16);
  await until("shrunk", () => kubelet.resource(EPC)?.capacity === 20);
  assert.deepEqual(new Set(kubelet.devices(EPC).map(({ ID }) => ID)), held);
  await until("the problem", () => codes(daemon).includes("EPC_OVERCOMMITTED"));
  assert.equal(allocatable(EPC), 16);
  assert.equal(resource(daemon, EPC)?.allocated, 20);
  kubelet.removePod(POD.podUid);
  await until("free ids", () => kubelet.resource(EPC)?.capacity === 16);
  assert.equal(allocatable(EPC), 16);
  await until("no problem", () => codes(daemon).length === 0);
});

test("what a restarted plugin's containers hold is in its first list", async () => {
  const first = start();
  await everythingRead(first);
  await kubelet.allocate(EPC, 10, POD);
  const held = kubelet.allocations[0]?.ids ?? [];
  stops[0]?.abort();
  await ends[0];
  node = sgxNode(10);
  const second = start();
  await until("registered", () => allocatable(EPC) === 10);
  assert.deepEqual(new Set(kubelet.devices(EPC).map(({ ID }) => ID)), new Set(held));
  assert.equal(resource(second, EPC)?.allocated, 10);
});

test("above 65,536 MiB, and with Intel's names, EPC is a counter", async () => {
  node = sgxNode(65_537);
  const azure = start();
  await everythingRead(azure);
  assert.deepEqual(azure.status().counters, [{ name: EPC, quantity: "65537" }]);
  assert.equal(resource(azure, EPC), undefined);
  stops[0]?.abort();
  await ends[0];
  const intel = start({ resourceNames: "intel" });
  await everythingRead(intel);
  assert.deepEqual(intel.status().counters, [{ name: "sgx.intel.com/epc", quantity: String(65_537 * MIB) }]);
});

test("a contradictory configuration ends it at once", async () => {
  start({ resourceNames: "intel", mode: "device" });
  await assert.rejects(ends[0] as Promise<DaemonEnd>, { code: "EPC_MODE_UNSUPPORTED" });
  ends = [];
});

test("a kubelet that starts again is given everything again", async () => {
  const daemon = start();
  await everythingRead(daemon);
  await kubelet.restart();
  await until("everything registered again", () => allocatable(EPC) === 64 && allocatable(QUOTE) === 10);
  assert.match(await daemon.metrics(), /confcom_device_plugin_kubelet_restarts_total [12]\n/);
});

test("a kubelet that cannot be asked for allocations is a problem, not the end", async () => {
  const error = new KubernetesError("POD_RESOURCES_UNREACHABLE", "nobody there");
  const podResources = { ask: async () => ({ reached: false as const, error }), close: () => {} };
  const daemon = start({ podResources });
  await everythingRead(daemon);
  assert.equal(resource(daemon, EPC)?.allocated, null);
  await until("the problem", () => codes(daemon).includes("POD_RESOURCES_UNREACHABLE"));
  assert.equal(daemon.status().state, "serving");
});

test("a kubelet that registers the plugin and never calls it is a problem", async () => {
  kubelet.behaviour.silent = true;
  const daemon = start();
  await until("the problem", () => codes(daemon).includes("KUBELET_NEVER_CALLED"));
  assert.equal(daemon.ready().ok, false);
  assert.ok(reasons(daemon).includes("KubeletNeverCalled"));
});

test("of two, the newer one serves and the older one stands by; it serves again when the newer one is gone", async () => {
  const older = start();
  await until("the older serves", () => older.ready().ok && older.status().state === "serving");
  const newer = start();
  await until("the older stands by", () => older.status().state === "standby");
  await until("the newer serves", () => newer.ready().ok && allocatable(EPC) === 64);
  assert.deepEqual(older.status().counters, []);
  const registered = kubelet.registrations.length;
  // Longer than a standby waits for a successor that is gone.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(kubelet.registrations.length, registered);
  assert.equal(older.status().state, "standby");
  stops[1]?.abort();
  await ends[1];
  await until("the older serves again", () => older.status().state === "serving" && allocatable(EPC) === 64);
});

test("--provision-with-epc gives the provisioning device with EPC and with enclave slots, and warns", async () => {
  const daemon = start({ provisionWithEpc: true });
  await everythingRead(daemon);
  for (const name of [EPC, ENCLAVE]) {
    const { devices } = await kubelet.allocate(name, 1, POD);
    assert.ok(
      devices.some(({ containerPath }) => containerPath === "/dev/sgx_provision"),
      name,
    );
  }
  assert.ok(reasons(daemon).includes("ProvisionWithEpc"));
});

test("told to stop, it takes its sockets along", async () => {
  const daemon = start();
  await everythingRead(daemon);
  stops[0]?.abort();
  assert.deepEqual(await ends[0], { reason: "stopped" });
  assert.equal(existsSync(join(directory, "confcom-epc.sock")), false);
});

test("a change of health reaches the metrics", async () => {
  const daemon = start();
  await everythingRead(daemon);
  const text = await daemon.metrics();
  assert.match(text, /confcom_device_plugin_epc_mib\{state="total"\} 64/);
  assert.match(text, /confcom_device_plugin_devices\{resource="sgx.intel.com\/enclave",health="healthy"\} 10/);
  assert.match(text, /confcom_device_plugin_registrations_total\{resource="sgx.confcom.dev\/quote"\} 1/);
  assert.match(text, /confcom_device_plugin_state\{state="serving"\} 1/);
});
