import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectSgxDevices } from "../sgx-node/sgx-devices.ts";
import { MemoryHost } from "../sgx-node/testing/memory-host.ts";
import { IN_TREE } from "../sgx-node/testing/node-types.ts";
import { createEpcResource } from "./epc-resource.ts";
import { createSlotResource } from "./slot-resource.ts";

const never = new AbortController().signal;
const hostWith = (files = {}) => new MemoryHost({ "/dev/null": { device: 1 }, ...IN_TREE, ...files });

describe("slots", () => {
  it("110 of each kind by default, under the names of Intel's operator and ours", () => {
    const inspectDevices = () => inspectSgxDevices(hostWith());
    const enclave = createSlotResource({ kind: "enclave", inspectDevices });
    const provision = createSlotResource({ kind: "provision", inspectDevices, slots: 2 });
    const quote = createSlotResource({ kind: "quote", waitForHelper: async () => undefined, slots: 1 });
    assert.deepEqual(
      [enclave, provision, quote].map(({ resourceName, endpoint, devices }) => [
        resourceName,
        endpoint,
        devices().length,
      ]),
      [
        ["sgx.intel.com/enclave", "confcom-enclave.sock", 110],
        ["sgx.intel.com/provision", "confcom-provision.sock", 2],
        ["sgx.confcom.dev/quote", "confcom-quote.sock", 1],
      ],
    );
    assert.deepEqual(provision.devices(), [
      { id: "p0", healthy: true },
      { id: "p1", healthy: true },
    ]);
    assert.deepEqual([enclave.devices()[109]?.id, quote.devices()[0]?.id], ["e109", "q0"]);
  });

  it("an enclave slot gives the enclave device, a provision slot the provisioning device alone, both under both names", () => {
    const inspectDevices = () => inspectSgxDevices(hostWith());
    for (const kind of ["enclave", "provision"] as const) {
      const { devices, envs, mounts } = createSlotResource({ kind, inspectDevices }).allocate([`${kind[0]}7`]);
      assert.deepEqual(devices, [
        { containerPath: `/dev/sgx_${kind}`, hostPath: `/dev/sgx_${kind}`, permissions: "rw" },
        { containerPath: `/dev/sgx/${kind}`, hostPath: `/dev/sgx_${kind}`, permissions: "rw" },
      ]);
      assert.deepEqual([envs, mounts], [{}, []]);
    }
  });

  it("EPC and an enclave slot in one container name the same host path for each name: the kubelet keeps one of each", () => {
    const dcap = new MemoryHost({ "/dev/sgx/enclave": { device: 7 }, "/dev/sgx/provision": { device: 8 } });
    const inspectDevices = () => inspectSgxDevices(dcap);
    const epc = createEpcResource({ totalMiB: 1, inspectDevices, clock: { now: () => 0 } });
    const slot = createSlotResource({ kind: "enclave", inspectDevices });
    assert.deepEqual(slot.allocate(["e0"]).devices, epc.allocate(["A"]).devices);
    assert.equal(slot.allocate(["e0"]).devices[0]?.hostPath, "/dev/sgx/enclave");
  });

  it("a quote slot gives the helper's directory, read-only, and SGX_AESM_ADDR, and no device", () => {
    const quote = createSlotResource({ kind: "quote", waitForHelper: async () => undefined });
    assert.deepEqual(quote.allocate(["q3"]), {
      envs: { SGX_AESM_ADDR: "1" },
      mounts: [{ containerPath: "/var/run/aesmd", hostPath: "/var/run/aesmd", readOnly: true }],
      devices: [],
      annotations: {},
    });
  });

  it("ids that are no slots are refused", () => {
    const quote = createSlotResource({ kind: "quote", waitForHelper: async () => undefined, slots: 2 });
    for (const id of ["q2", "e0", "q-1", "q01", ""]) {
      assert.throws(() => quote.allocate(["q0", id]), { code: "DEVICE_ID_UNKNOWN", message: /there are 2/ });
    }
  });

  it("health follows the slot's own device; a quote slot is not concerned", async () => {
    const host = hostWith();
    const inspectDevices = () => inspectSgxDevices(host);
    const enclave = createSlotResource({ kind: "enclave", inspectDevices, slots: 1 });
    const provision = createSlotResource({ kind: "provision", inspectDevices, slots: 1 });
    const quote = createSlotResource({ kind: "quote", waitForHelper: async () => undefined, slots: 1 });
    let changes = 0;
    provision.subscribe(() => changes++);
    host.remove("/dev/sgx_provision");
    for (const resource of [enclave, provision, quote]) resource.setDevices(inspectDevices());
    assert.deepEqual(
      [enclave, provision, quote].map((resource) => resource.devices()[0]?.healthy),
      [true, false, true],
    );
    await enclave.preStart(["e0"], never);
    const gone = { code: "SGX_PROVISION_MISSING", message: /sgx_provision is gone/ };
    await assert.rejects(provision.preStart(["p0"], never), gone);
    assert.throws(() => provision.allocate(["p0"]), gone);
    host.plant("/dev/sgx_provision", { device: 5 });
    for (let i = 0; i < 2; i++) provision.setDevices(inspectDevices());
    assert.equal(provision.devices()[0]?.healthy, true);
    assert.equal(changes, 2);
  });

  it("a container with a quote slot starts when the helper answers, and not otherwise", async () => {
    let helper: () => Promise<void> = async () => undefined;
    const quote = createSlotResource({ kind: "quote", waitForHelper: () => helper() });
    await quote.preStart(["q0"], never);
    helper = () => Promise.reject(new Error("away"));
    await assert.rejects(quote.preStart(["q0"], never), /away/);
  });

  it("numbers of slots that make no sense are refused", () => {
    for (const slots of [-1, 1.5, 10_001, Number.NaN]) {
      assert.throws(
        () => createSlotResource({ kind: "quote", waitForHelper: async () => undefined, slots }),
        RangeError,
      );
    }
  });
});
