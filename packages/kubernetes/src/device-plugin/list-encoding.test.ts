import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ListAndWatchResponseSchema } from "./api/generated/device-plugin_pb.ts";
import { encodedListSize, encodeList, KUBELET_MESSAGE_LIMIT } from "./list-encoding.ts";
import type { PluginDevice } from "./published-resource.ts";

/** The same list by the generated codec. */
function generated(devices: readonly PluginDevice[]): Buffer {
  const message = create(ListAndWatchResponseSchema, {
    devices: devices.map((device) => ({
      ID: device.id,
      health: device.healthy ? "Healthy" : "Unhealthy",
      ...(device.numaNode === undefined ? {} : { topology: { nodes: [{ ID: BigInt(device.numaNode) }] } }),
    })),
  });
  return Buffer.from(toBinary(ListAndWatchResponseSchema, message));
}

test("a healthy device is 13 bytes and its id", () => {
  const bytes = encodeList([{ id: "A", healthy: true }]);
  assert.equal(bytes.toString("hex"), "0a0c0a0141120748" + "65616c746879");
  assert.equal(bytes.length, 14);
});

test("an unhealthy device says so", () => {
  assert.equal(encodeList([{ id: "-_9", healthy: false }]).toString("hex"), "0a100a032d5f391209556e6865616c746879");
});

test("NUMA node 0 adds four bytes and any other below 128 adds six", () => {
  const none = encodedListSize([{ id: "A", healthy: true }]);
  assert.equal(encodedListSize([{ id: "A", healthy: true, numaNode: 0 }]), none + 4);
  assert.equal(encodedListSize([{ id: "A", healthy: true, numaNode: 1 }]), none + 6);
  assert.equal(
    encodeList([{ id: "A", healthy: true, numaNode: 0 }])
      .subarray(-4)
      .toString("hex"),
    "1a020a00",
  );
  assert.equal(
    encodeList([{ id: "A", healthy: true, numaNode: 1 }])
      .subarray(-6)
      .toString("hex"),
    "1a040a020801",
  );
});

test("no devices are an empty message", () => {
  assert.equal(encodeList([]).length, 0);
});

test("262,144 ids of one to three characters are 4,160 bytes below the kubelet's limit", () => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const numeral = (index: number): string => (index < 64 ? "" : numeral(index >> 6)) + digits[index & 63];
  const devices = Array.from({ length: 262_144 }, (_, index) => ({ id: numeral(index), healthy: true }));
  assert.equal(encodedListSize(devices), KUBELET_MESSAGE_LIMIT - 4160);
});

test("any list is what the generated codec makes of it, and its size is known before", () => {
  const device = fc
    .record({
      id: fc.oneof(
        fc.string({ minLength: 1, maxLength: 63 }),
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.string({ minLength: 120, maxLength: 300 }),
      ),
      healthy: fc.boolean(),
      numaNode: fc.option(fc.oneof(fc.nat(300), fc.maxSafeNat()), { nil: undefined }),
    })
    .map(({ id, healthy, numaNode }) => (numaNode === undefined ? { id, healthy } : { id, healthy, numaNode }));
  fc.assert(
    fc.property(
      fc.array(
        device.filter(({ id }) => id !== ""),
        { maxLength: 40 },
      ),
      (devices) => {
        const bytes = encodeList(devices);
        assert.deepEqual(bytes, generated(devices));
        assert.equal(encodedListSize(devices), bytes.length);
        assert.equal(fromBinary(ListAndWatchResponseSchema, bytes).devices.length, devices.length);
      },
    ),
  );
});
