import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ListPodResourcesResponseSchema } from "../device-plugin/api/generated/pod-resources_pb.ts";
import { decodePodResources } from "./decode-pod-resources.ts";

const EPC = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
const OURS = ["sgx.intel.com/enclave", EPC];
const encode = (init: MessageInitShape<typeof ListPodResourcesResponseSchema>) =>
  toBinary(ListPodResourcesResponseSchema, create(ListPodResourcesResponseSchema, init));

describe("the kubelet's list of allocations", () => {
  it("one allocation for each resource of each container; the kubelet names every device by itself", () => {
    const bytes = encode({
      podResources: [
        {
          name: "app",
          namespace: "shop",
          containers: [
            {
              name: "one",
              devices: [
                { resourceName: EPC, deviceIds: ["A"] },
                { resourceName: "sgx.intel.com/enclave", deviceIds: ["e0"] },
                { resourceName: EPC, deviceIds: ["_-", "A"], topology: { nodes: [{ ID: 1n }] } },
                { resourceName: "nvidia.com/gpu", deviceIds: ["0"] },
                { resourceName: `${EPC}s`, deviceIds: ["B"] },
              ],
            },
            {
              name: "two",
              cpuIds: [1n, 2n],

              devices: [{ resourceName: EPC }],
            },
          ],
        },
        { name: "empty", namespace: "kube-system" },
        {
          name: "app",
          namespace: "other",
          containers: [{ name: "one", devices: [{ resourceName: EPC, deviceIds: ["C"] }] }],
        },
      ],
    });
    assert.deepEqual(decodePodResources(bytes, OURS), [
      { namespace: "shop", pod: "app", container: "one", resource: EPC, ids: ["A", "_-"] },
      { namespace: "shop", pod: "app", container: "one", resource: "sgx.intel.com/enclave", ids: ["e0"] },
      { namespace: "other", pod: "app", container: "one", resource: EPC, ids: ["C"] },
    ]);
  });

  it("fields that are not known, of whatever type, are stepped over", () => {
    const known = encode({
      podResources: [{ name: "a", containers: [{ name: "b", devices: [{ resourceName: EPC, deviceIds: ["A"] }] }] }],
    });
    const [varint, fixed64, bytes, fixed32] = [
      [0x48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x51, 1, 2, 3, 4, 5, 6, 7, 8],
      [0x5a, 2, 0x0a, 0xff],
      [0x65, 1, 2, 3, 4],
    ] as const;
    const around = Uint8Array.of(...varint, ...fixed64, ...known, ...bytes, ...fixed32);
    assert.deepEqual(decodePodResources(around, OURS), decodePodResources(known, OURS));
    assert.equal(decodePodResources(known, OURS).length, 1);
  });

  it("nothing allocated is an empty list", () => {
    assert.deepEqual(decodePodResources(new Uint8Array(0), OURS), []);
  });

  it("agrees with the generated decoder on every message", () => {
    const name = fc.oneof(fc.constantFrom(...OURS, "x/y"), fc.string());
    const devices = fc.record({
      resourceName: name,
      deviceIds: fc.array(fc.string({ unit: "grapheme" }), { maxLength: 3 }),
    });
    const container = fc.record({ name: fc.string(), devices: fc.array(devices, { maxLength: 4 }) });
    const pod = fc.record({
      name: fc.string(),
      namespace: fc.string(),
      containers: fc.array(container, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(pod, { maxLength: 3 }), (podResources) => {
        const bytes = encode({ podResources });
        const expected = fromBinary(ListPodResourcesResponseSchema, bytes).podResources.flatMap((one) =>
          one.containers.flatMap((each) => {
            const held = new Map<string, Set<string>>();
            for (const { resourceName, deviceIds } of each.devices) {
              if (!OURS.includes(resourceName) || deviceIds.length === 0) continue;
              const ids = held.get(resourceName) ?? new Set();
              held.set(resourceName, ids);
              for (const id of deviceIds) ids.add(id);
            }
            return [...held].map(([resource, ids]) => ({
              namespace: one.namespace,
              pod: one.name,
              container: each.name,
              resource,
              ids: [...ids],
            }));
          }),
        );
        assert.deepEqual(decodePodResources(bytes, OURS), expected);
      }),
    );
  });

  it("bytes that are no such message are refused or give a list, and never more than that", () => {
    const whole = encode({
      podResources: [{ name: "a", containers: [{ name: "b", devices: [{ resourceName: EPC, deviceIds: ["A"] }] }] }],
    });
    for (let end = 1; end < whole.length; end++) {
      assert.throws(() => decodePodResources(whole.subarray(0, end), OURS), /ends/);
    }
    assert.throws(() => decodePodResources(Uint8Array.of(0x0b), OURS), /wire type 3/);
    assert.throws(() => decodePodResources(new Uint8Array(11).fill(0xff), OURS), /more than 10 bytes/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          return Array.isArray(decodePodResources(bytes, OURS));
        } catch (error) {
          return error instanceof Error && /wire type|ends|10 bytes/.test(error.message);
        }
      }),
    );
  });
});
