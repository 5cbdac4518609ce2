import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type ServiceError, status } from "@grpc/grpc-js";
import { KubernetesError } from "../errors.ts";
import { FakeKubelet } from "../testing/fake-kubelet/fake-kubelet.ts";
import type { PluginConnection } from "../testing/fake-kubelet/plugin-connection.ts";
import { FakeResource, slots } from "../testing/fake-resource.ts";
import { RecordingReport } from "../testing/recording-report.ts";
import { until } from "../testing/until.ts";
import { AllocateRequestSchema } from "./api/generated/device-plugin_pb.ts";
import { DEVICE_PLUGIN_CLIENT } from "./api/services.ts";
import { type DevicePlugin, startDevicePlugin } from "./device-plugin.ts";

const POD = { podUid: "u1", namespace: "default", pod: "app", container: "main" };
/** Hours pass in seconds. */
const fastClock = {
  now: () => Date.now() * 500,
  setTimeout: (run: () => void, milliseconds: number) => setTimeout(run, milliseconds / 500),
  clearTimeout,
};

let directory: string;
let kubelet: FakeKubelet;
let plugin: DevicePlugin;
let resource: FakeResource;
let report: RecordingReport;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "confcom-service-"));
  kubelet = await FakeKubelet.start({ directory, now: Date.now });
  report = new RecordingReport();
  resource = new FakeResource({ preStartRequired: true, preferredAllocationAvailable: true });
  plugin = await startDevicePlugin({
    resources: [resource],
    directory,
    clock: { now: Date.now, setTimeout, clearTimeout },
    random: Math.random,
    report,
    signal: new AbortController().signal,
  });
  await until("the list", () => kubelet.resource(resource.resourceName)?.allocatable === 4);
});

afterEach(async () => {
  await plugin.close();
  kubelet.kill();
  rmSync(directory, { recursive: true });
});

function connection(): PluginConnection {
  const found = kubelet.connection(resource.resourceName);
  assert.ok(found);
  return found;
}

/** The gRPC error that a call fails with. */
async function refusal(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new assert.AssertionError({ message: "the call was not refused" });
}

test("the options are the resource's", () => {
  const options = kubelet.options(resource.resourceName);
  assert.equal(options?.preStartRequired, true);
  assert.equal(options?.getPreferredAllocationAvailable, true);
});

test("an id that is not published is refused and named", async () => {
  const error = await refusal(connection().allocate(["e0", "e9"]));
  assert.equal(error.code, status.NOT_FOUND);
  assert.match(
    error.details,
    /^confcom: sgx\.intel\.com\/enclave: the device "e9" is not published here \(DEVICE_ID_UNKNOWN\): /,
  );
  assert.equal(report.of("allocated")[0]?.error?.code, "DEVICE_ID_UNKNOWN");
});

test("an id that was taken from the list is refused", async () => {
  resource.setDevices(slots(2));
  assert.equal((await refusal(connection().allocate(["e3"]))).code, status.NOT_FOUND);
});

test("an id named twice is refused", async () => {
  assert.equal((await refusal(connection().allocate(["e1", "e1"]))).code, status.INVALID_ARGUMENT);
});

test("a request for no device is refused", async () => {
  assert.equal((await refusal(connection().allocate([]))).code, status.INVALID_ARGUMENT);
});

test("a request for no container is refused", async () => {
  const error = await refusal(connection().call(DEVICE_PLUGIN_CLIENT.allocate, create(AllocateRequestSchema)));
  assert.equal(error.code, status.INVALID_ARGUMENT);
});

test("a request for more devices than there are is refused before any of them is looked at", async () => {
  const ids = Array.from({ length: 100_000 }, (_, index) => `x${index}`);
  const error = await refusal(connection().allocate(ids));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  assert.match(error.details, /names 100000 devices for 1 containers; there are 4/);
});

test("a request for hundreds of containers is refused before any of them is looked at", async () => {
  const published = 1000;
  resource.setDevices(slots(published));
  await until("the longer list", () => kubelet.resource(resource.resourceName)?.allocatable === published);
  const containerRequests = Array.from({ length: 65 }, (_, index) => ({ devicesIds: [`e${index}`] }));
  const request = create(AllocateRequestSchema, { containerRequests });
  const error = await refusal(connection().call(DEVICE_PLUGIN_CLIENT.allocate, request));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  assert.match(error.details, /names 65 devices for 65 containers/);
});

test("a request above 16 MiB is refused", async () => {
  const error = await refusal(connection().allocate([`x${"y".repeat(17 * 1024 * 1024)}`]));
  assert.equal(error.code, status.RESOURCE_EXHAUSTED);
});

test("several containers in one request get one answer each", async () => {
  const request = create(AllocateRequestSchema, {
    containerRequests: [{ devicesIds: ["e0"] }, { devicesIds: ["e1", "e2"] }],
  });
  const response = await connection().call(DEVICE_PLUGIN_CLIENT.allocate, request);
  assert.deepEqual(
    response.containerResponses.map(({ envs }) => envs.COUNT),
    ["1", "2"],
  );
});

test("what the resource refuses reaches the pod with code and next step", async () => {
  resource.refusal = "/dev/sgx_enclave is not there";
  const error = await refusal(kubelet.allocate(resource.resourceName, 1, POD));
  assert.equal(error.code, status.FAILED_PRECONDITION);
  assert.match(error.details, /^confcom: \/dev\/sgx_enclave is not there \(SGX_DEVICE_MISSING\): .+/);
  assert.ok(error.details.length <= 900);
});

test("a defect in the resource is an internal error, not a crash", async () => {
  resource.allocate = () => {
    throw new TypeError("undefined is not a function");
  };
  const error = await refusal(kubelet.allocate(resource.resourceName, 1, POD));
  assert.equal(error.code, status.INTERNAL);
  assert.match(error.details, /DEVICE_PLUGIN_INTERNAL/);
});

test("the kubelet takes the devices that the resource prefers", async () => {
  await kubelet.allocate(resource.resourceName, 2, POD);
  assert.deepEqual(kubelet.allocations[0]?.ids, ["e3", "e2"]);
});

test("a preference for more devices than are available is refused", async () => {
  assert.equal((await refusal(connection().prefer(["e0"], [], 2))).code, status.INVALID_ARGUMENT);
  assert.equal((await refusal(connection().prefer(["e0"], [], -1))).code, status.INVALID_ARGUMENT);
  assert.equal((await refusal(connection().prefer(["e0", "e1"], ["e0", "e1"], 1))).code, status.INVALID_ARGUMENT);
});

test("a container starts when the resource is ready, and again at each restart", async () => {
  await kubelet.allocate(resource.resourceName, 2, POD);
  await kubelet.startContainer(POD);
  await kubelet.startContainer(POD);
  assert.equal(report.of("preStart").length, 2);
  assert.deepEqual(report.of("preStart")[0]?.ids, ["e3", "e2"]);
});

test("a container does not start when the resource is not ready", async () => {
  await kubelet.allocate(resource.resourceName, 1, POD);
  resource.ready = async () => {
    throw new KubernetesError("QUOTE_HELPER_UNREACHABLE", "no quote helper answers at /var/run/aesmd");
  };
  const error = await refusal(kubelet.startContainer(POD));
  assert.equal(error.code, status.FAILED_PRECONDITION);
  assert.match(error.details, /QUOTE_HELPER_UNREACHABLE/);
  assert.equal(report.of("preStart")[0]?.error?.code, "QUOTE_HELPER_UNREACHABLE");
});

test("a container of which the devices have left the list may still start", async () => {
  await kubelet.allocate(resource.resourceName, 2, POD);
  resource.setDevices(slots(1));
  await kubelet.startContainer(POD);
  assert.equal(report.of("preStart")[0]?.error, undefined);
});

test("a container that waits is told so before the kubelet's 30 s are over", async () => {
  await plugin.close();
  plugin = await startDevicePlugin({
    resources: [resource],
    directory,
    clock: fastClock,
    random: Math.random,
    report,
    signal: new AbortController().signal,
  });
  await until("the list", () => kubelet.resource(resource.resourceName)?.allocatable === 4);
  await kubelet.allocate(resource.resourceName, 1, POD);
  resource.ready = () => new Promise(() => undefined);
  const error = await refusal(kubelet.startContainer(POD));
  assert.equal(error.code, status.DEADLINE_EXCEEDED);
  assert.match(error.details, /not ready in 25 s \(PRE_START_TIMEOUT\)/);
});

test("closing the plugin refuses the containers that wait", async () => {
  await kubelet.allocate(resource.resourceName, 1, POD);
  let waiting = false;
  resource.ready = () => {
    waiting = true;
    return new Promise(() => undefined);
  };
  const answered = refusal(kubelet.startContainer(POD));
  await until("the call", () => waiting);
  await plugin.close();
  assert.equal((await answered).code, status.DEADLINE_EXCEEDED);
});
