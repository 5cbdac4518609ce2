import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { RegisterRequestSchema } from "../../device-plugin/api/generated/device-plugin_pb.ts";
import {
  ListPodResourcesRequestSchema,
  type ListPodResourcesResponse,
} from "../../device-plugin/api/generated/pod-resources_pb.ts";
import { POD_RESOURCES_SERVICE, REGISTRATION_SERVICE } from "../../device-plugin/api/services.ts";
import { type DevicePlugin, startDevicePlugin } from "../../device-plugin/device-plugin.ts";
import { FakeResource } from "../fake-resource.ts";
import { RecordingReport } from "../recording-report.ts";
import { until } from "../until.ts";
import { FakeKubelet } from "./fake-kubelet.ts";

const ENCLAVE = "sgx.intel.com/enclave";
const POD = { podUid: "u1", namespace: "default", pod: "app", container: "main" };

let parent: string;
let directory: string;
let kubelet: FakeKubelet;
let plugins: DevicePlugin[];

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), "confcom-kubelet-"));
  directory = join(parent, "device-plugins");
  kubelet = await FakeKubelet.start({ directory, podResourcesSocket: join(parent, "pods.sock"), now: Date.now });
  plugins = [];
});

afterEach(async () => {
  await Promise.all(plugins.map((plugin) => plugin.close()));
  kubelet.kill();
  rmSync(parent, { recursive: true });
});

async function startPlugin(resource = new FakeResource()): Promise<DevicePlugin> {
  const plugin = await startDevicePlugin({
    resources: [resource],
    directory,
    clock: { now: Date.now, setTimeout, clearTimeout },
    random: Math.random,
    report: new RecordingReport(),
    signal: new AbortController().signal,
  });
  plugins.push(plugin);
  await until("the list", () => kubelet.resource(resource.resourceName)?.allocatable === resource.devices().length);
  return plugin;
}

/** The explanation with which a registration is refused; undefined when it is accepted. */
function register(request: {
  version?: string;
  endpoint?: string;
  resourceName?: string;
}): Promise<string | undefined> {
  const client = new Client(`unix:${kubelet.kubeletSocket}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = REGISTRATION_SERVICE.register;
  const message = create(RegisterRequestSchema, {
    version: "v1beta1",
    endpoint: "plugin.sock",
    resourceName: ENCLAVE,
    ...request,
  });
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error: ServiceError | null) => {
      client.close();
      resolve(error?.details);
    });
  });
}

function podResources(): Promise<ListPodResourcesResponse> {
  const client = new Client(`unix:${join(parent, "pods.sock")}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = POD_RESOURCES_SERVICE.list;
  return new Promise((resolve, reject) => {
    const request = create(ListPodResourcesRequestSchema);
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
      client.close();
      if (error !== null || response === undefined) reject(error);
      else resolve(response);
    });
  });
}

test("another version than v1beta1 is refused", async () => {
  assert.match((await register({ version: "v1" })) ?? "", /version "v1" is not supported/);
});

test("only names of extended resources are taken", async () => {
  for (const resourceName of ["epc", "kubernetes.io/epc", "requests.intel.com/epc", "intel.com/", "intel.com/a b"]) {
    assert.match((await register({ resourceName })) ?? "", /is invalid/);
  }
});

test("mixed case and underscores are legal in a name", async () => {
  const resourceName = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
  await startPlugin(new FakeResource({ resourceName, endpoint: "confcom-epc.sock" }));
});

test("a start deletes every socket in the directory and nothing else", async () => {
  const other = createServer().listen(join(directory, "other.sock"));
  await until("the socket", () => existsSync(join(directory, "other.sock")));
  writeFileSync(join(directory, "DEPRECATION"), "");
  await kubelet.restart();
  assert.equal(existsSync(join(directory, "other.sock")), false);
  assert.equal(existsSync(join(directory, "DEPRECATION")), true);
  assert.equal(existsSync(kubelet.kubeletSocket), true);
  other.close();
});

test("a killed kubelet leaves its socket, a stopped one takes it along", async () => {
  kubelet.kill();
  assert.equal(existsSync(kubelet.kubeletSocket), true);
  await kubelet.start();
  kubelet.stop();
  assert.equal(existsSync(kubelet.kubeletSocket), false);
});

test("the end of a stream makes every device unhealthy and keeps the capacity", async () => {
  const plugin = await startPlugin();
  await plugin.close();
  await until("the end", () => kubelet.endedStreams.length === 1);
  assert.deepEqual(kubelet.resource(ENCLAVE), { capacity: 4, allocatable: 0 });
  await assert.rejects(kubelet.allocate(ENCLAVE, 1, POD), /no healthy devices/);
});

test("a restarted kubelet knows the resource without devices until the plugin registers", async () => {
  const plugin = await startPlugin();
  await plugin.close();
  await kubelet.restart();
  assert.deepEqual(kubelet.resource(ENCLAVE), { capacity: 0, allocatable: 0 });
});

test("no device is allocated twice, and a removed pod's are free again", async () => {
  await startPlugin();
  await kubelet.allocate(ENCLAVE, 3, POD);
  await assert.rejects(kubelet.allocate(ENCLAVE, 2, { ...POD, podUid: "u2" }), /unavailable: 2 of 1/);
  await kubelet.allocate(ENCLAVE, 1, { ...POD, podUid: "u2" });
  assert.equal(new Set(kubelet.allocations.flatMap(({ ids }) => ids)).size, 4);
  kubelet.removePod("u1");
  await kubelet.allocate(ENCLAVE, 3, { ...POD, podUid: "u3" });
});

test("allocations outlive a restart", async () => {
  await startPlugin();
  await kubelet.allocate(ENCLAVE, 3, POD);
  await kubelet.restart();
  await until("the list", () => kubelet.resource(ENCLAVE)?.allocatable === 4);
  await assert.rejects(kubelet.allocate(ENCLAVE, 2, { ...POD, podUid: "u2" }), /unavailable: 2 of 1/);
});

test("the checkpoint has the kubelet's form", async () => {
  await startPlugin();
  await kubelet.allocate(ENCLAVE, 2, POD);
  const checkpoint = JSON.parse(readFileSync(join(directory, "kubelet_internal_checkpoint"), "utf8")) as {
    Data: { PodDeviceEntries: { PodUID: string; DeviceIDs: object }[]; RegisteredDevices: Record<string, string[]> };
    Checksum: number;
  };
  assert.deepEqual(checkpoint.Data.RegisteredDevices, { [ENCLAVE]: ["e0", "e1", "e2", "e3"] });
  assert.equal(checkpoint.Data.PodDeviceEntries[0]?.PodUID, "u1");
  assert.deepEqual(checkpoint.Data.PodDeviceEntries[0]?.DeviceIDs, { "-1": ["e0", "e1"] });
  assert.equal(Number.isSafeInteger(checkpoint.Checksum), true);
});

test("the pod-resources service lists who holds which ids", async () => {
  await startPlugin();
  await kubelet.allocate(ENCLAVE, 1, POD);
  await kubelet.allocate(ENCLAVE, 2, { ...POD, container: "side" });
  const { podResources: pods } = await podResources();
  assert.equal(pods.length, 1);
  assert.equal(pods[0]?.namespace, "default");
  assert.deepEqual(
    pods[0]?.containers.map(({ name, devices }) => [name, devices[0]?.resourceName, devices[0]?.deviceIds]),
    [
      ["main", ENCLAVE, ["e0"]],
      ["side", ENCLAVE, ["e1", "e2"]],
    ],
  );
});
