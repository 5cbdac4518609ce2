import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodedListSize } from "../device-plugin/list-encoding.ts";
import { inspectSgxDevices } from "../sgx-node/sgx-devices.ts";
import { MemoryHost } from "../sgx-node/testing/memory-host.ts";
import { IN_TREE } from "../sgx-node/testing/node-types.ts";
import { createEpcResource, type EpcResourceOptions } from "./epc-resource.ts";
import { DEVICE_LIST_LIMIT } from "./list-limit.ts";

function made(options: Partial<EpcResourceOptions> = {}) {
  const host = new MemoryHost({ "/dev/null": { device: 1 }, ...IN_TREE });
  const clock = { time: 0, now: () => clock.time };
  const inspectDevices = () => inspectSgxDevices(host);
  const resource = createEpcResource({ totalMiB: 4, inspectDevices, clock, ...options });
  let changes = 0;
  resource.subscribe(() => changes++);
  const shown = () => resource.devices().map(({ id, healthy }) => (healthy ? id : `-${id}`));
  return { host, clock, resource, inspectDevices, shown, changes: () => changes };
}
const never = new AbortController().signal;

describe("EPC as a resource", () => {
  it("is published as AKS names it, one device per MiB", () => {
    const { resource, shown } = made();
    assert.equal(resource.resourceName, "kubernetes.azure.com/sgx_epc_mem_in_MiB");
    assert.equal(resource.endpoint, "confcom-epc.sock");
    assert.deepEqual([resource.preStartRequired, resource.preferredAllocationAvailable], [true, false]);
    assert.deepEqual(shown(), ["A", "B", "C", "D"]);
    assert.equal(resource.devices(), resource.devices(), "one array until something changes");
  });

  it("gives the enclave device under both names, and nothing else", () => {
    assert.deepEqual(made().resource.allocate(["A", "B"]), {
      envs: {},
      mounts: [],
      devices: [
        { containerPath: "/dev/sgx_enclave", hostPath: "/dev/sgx_enclave", permissions: "rw" },
        { containerPath: "/dev/sgx/enclave", hostPath: "/dev/sgx_enclave", permissions: "rw" },
      ],
      annotations: {},
    });
  });

  it("gives the provisioning device too where the cluster was told to", () => {
    const { resource, host } = made({ provisionWithEpc: true });
    const paths = () => resource.allocate(["A"]).devices.map(({ containerPath }) => containerPath);
    assert.deepEqual(paths().slice(2), ["/dev/sgx_provision", "/dev/sgx/provision"]);
    host.remove("/dev/sgx_provision");
    assert.equal(paths().length, 2);
  });

  it("refuses ids that are not published", () => {
    for (const id of ["E", "epc-0", "", "AAAA"]) {
      assert.throws(() => made().resource.allocate(["A", id]), { code: "DEVICE_ID_UNKNOWN", message: /4 MiB/ });
    }
  });

  it("looks at the device at the moment of Allocate and before each start of a container", async () => {
    const { resource, host } = made();
    await resource.preStart(["A"], never);
    host.remove("/dev/sgx_enclave");
    const gone = {
      code: "SGX_DEVICE_MISSING",
      message: /sgx_enclave is gone \(there is no .*\): the container cannot start/,
    };
    assert.throws(() => resource.allocate(["A"]), gone);
    await assert.rejects(resource.preStart(["A"], never), gone);
    assert.equal(resource.state().allocated, null);
    host.plant("/dev/sgx_enclave", { device: 9 });
    await resource.preStart(["A"], never);
  });

  it("health follows the enclave device; the list stays as long as it was", () => {
    const { resource, host, inspectDevices, shown, changes } = made();
    host.remove("/dev/sgx_enclave");
    resource.setDevices(inspectDevices());
    resource.setDevices(inspectDevices());
    assert.deepEqual(shown(), ["-A", "-B", "-C", "-D"]);
    assert.equal(resource.state().healthy, 0);
    host.plant("/dev/sgx_enclave", { device: 9 });
    resource.setDevices(inspectDevices());
    assert.deepEqual(shown(), ["A", "B", "C", "D"]);
    assert.equal(changes(), 2);
  });

  it("EPC shrinks below what is held: the excess is unhealthy, and said", () => {
    const { resource, shown, changes } = made();
    resource.resize(1, ["B", "C"]);
    assert.deepEqual(shown(), ["B", "-C"]);
    const { problem, ...numbers } = resource.state();
    assert.deepEqual(numbers, { totalMiB: 1, published: 2, healthy: 1, allocated: 2, excess: 1 });
    assert.equal(problem?.code, "EPC_OVERCOMMITTED");
    assert.match(problem?.message ?? "", /containers hold 2 MiB of EPC, the node has 1 MiB: 1 too much/);
    resource.resize(1, ["B"]);
    assert.deepEqual(shown(), ["B"]);
    assert.equal(resource.state().problem, undefined);
    resource.resize(1, ["B"]);
    assert.equal(changes(), 2);
  });

  it("an id that was given out a moment ago is kept although the kubelet's answer is older", () => {
    const { resource, clock, shown } = made();
    clock.time = 1_000;
    resource.allocate(["D"]);
    clock.time = 2_000;
    resource.resize(1, [], { observedAt: 900 });
    assert.deepEqual(shown(), ["D"]);
  });

  it("what containers hold is unknown until the kubelet has said it", () => {
    const { resource } = made();
    assert.equal(resource.state().allocated, null);
    resource.resize(4, undefined);
    assert.equal(resource.state().allocated, null);
    resource.resize(4, ["A"]);
    assert.equal(resource.state().allocated, 1);
    assert.equal(made({ allocatedIds: ["C", "D"] }).resource.state().allocated, 2);
  });

  it("with --numa devices say their node and the kubelet is told to ask which to take", () => {
    const perNumaNode = [
      { node: 0, mib: 2 },
      { node: 1, mib: 2 },
    ];
    const { resource } = made({ numa: true, perNumaNode });
    assert.equal(resource.preferredAllocationAvailable, true);
    assert.deepEqual(
      resource.devices().map(({ numaNode }) => numaNode),
      [0, 0, 1, 1],
    );
    assert.deepEqual(resource.prefer(["A", "C", "D"], [], 2), ["C", "D"]);
    resource.resize(3, [], {
      perNumaNode: [
        { node: 0, mib: 2 },
        { node: 1, mib: 1 },
      ],
    });
    assert.deepEqual(
      resource.devices().map(({ numaNode }) => numaNode),
      [0, 0, 1],
    );
    assert.ok(!("numaNode" in (made({ perNumaNode }).resource.devices()[0] ?? {})), "without --numa they do not");
  });

  it("a listener that leaves is not called; one that comes twice is called twice", () => {
    const { resource } = made();
    let calls = 0;
    const listener = () => void calls++;
    const [first] = [resource.subscribe(listener), resource.subscribe(listener)];
    resource.resize(3, []);
    first();
    resource.resize(2, []);
    assert.equal(calls, 3);
  });
});

describe("a list that only fits while it is healthy", () => {
  it("262,144 devices without the driver: free ones leave, so that the kubelet hears of it at all", () => {
    const { resource, host, inspectDevices, shown } = made({ totalMiB: 262_144, allocatedIds: ["___", "__-"] });
    assert.equal(encodedListSize(resource.devices()), 4_190_144);
    host.remove("/dev/sgx_enclave");
    resource.setDevices(inspectDevices());
    const size = encodedListSize(resource.devices());
    assert.ok(size <= DEVICE_LIST_LIMIT && size > DEVICE_LIST_LIMIT - 18, `${size} bytes`);
    assert.equal(resource.state().healthy, 0);
    assert.deepEqual(shown().slice(-2), ["-__-", "-___"], "what is held stays");
    host.plant("/dev/sgx_enclave", { device: 1 });
    resource.setDevices(inspectDevices());
    assert.equal(resource.devices().length, 262_144);
  });

  it("when all are held none leaves: the highest keep their health, which matters to nobody then", () => {
    const allocatedIds = ["A", "B", "C", "D"];
    // Four devices of 14 bytes, 16 when unhealthy.
    const { resource, host, inspectDevices, shown } = made({ allocatedIds, listLimit: 4 * 14 + 5 });
    host.remove("/dev/sgx_enclave");
    resource.setDevices(inspectDevices());
    assert.deepEqual(shown(), ["-A", "-B", "C", "D"]);
  });
});
