import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodedListSize, encodeList } from "../device-plugin/list-encoding.ts";
import { choosePublishing, type PublishingRequest } from "./choose-publishing.ts";
import { epcDeviceId } from "./device-ids.ts";

const choose = (totalMiB: number, more: Partial<PublishingRequest> = {}) =>
  choosePublishing({ totalMiB, requested: "auto", resourceNames: "azure", numa: false, ...more });
const halves = (total: number) => [
  { node: 0, mib: total - Math.floor(total / 2) },
  { node: 1, mib: Math.floor(total / 2) },
];

describe("how EPC is published", () => {
  it("auto: devices up to 65,536 MiB, a counter above", () => {
    assert.deepEqual(
      [65_536, 65_537, 1_048_576].map((mib) => choose(mib).mode),
      ["device", "counter", "counter"],
    );
    assert.match(choose(65_537).why, /65537 MiB are more than the 65536/);
  });

  it("--mode device: up to 262,144 MiB, 4,190,144 bytes, with a warning above 65,536", () => {
    const largest = choose(262_144, { requested: "device" });
    assert.equal(largest.mode, "device");
    assert.equal(largest.encodedBytes, 4_190_144);
    assert.equal(largest.limitBytes, 4 * 1024 * 1024 - 4096);
    assert.match(largest.warnings.join(), /262144 devices of 1 MiB.*--mode counter/);
    assert.deepEqual(choose(65_536, { requested: "device" }).warnings, []);
  });

  it("--mode device beyond that: nothing is published, and the numbers are said", () => {
    const refused = choose(262_145, { requested: "device" });
    assert.equal(refused.mode, "none");
    assert.equal(refused.deviceCount, 0);
    assert.equal(refused.problem?.code, "EPC_LIST_TOO_LARGE");
    assert.match(refused.problem?.message ?? "", /262145 MiB are a list of 4190161 bytes, the limit is 4190208/);
  });

  it("--numa: topology lowers the limit; how far depends on how the nodes share", () => {
    const device = (mib: number, perNumaNode: PublishingRequest["perNumaNode"]) =>
      choose(mib, { requested: "device", numa: true, ...(perNumaNode && { perNumaNode }) });
    assert.equal(device(199_731, halves(199_731)).mode, "device");
    assert.equal(device(199_732, halves(199_732)).problem?.code, "EPC_LIST_TOO_LARGE");
    assert.equal(device(209_718, undefined).mode, "device");
    assert.equal(device(209_719, undefined).mode, "none");
    // Without the reserve of 4 KiB the two nodes would get to 199,926, one byte in 4 MiB being left for the 199,927th.
    assert.ok(device(199_926, halves(199_926)).encodedBytes < 4 * 1024 * 1024);
    assert.ok(device(199_927, halves(199_927)).encodedBytes > 4 * 1024 * 1024);
  });

  it("the size is that of the list which is sent, to the byte", () => {
    for (const [mib, numa] of [
      [1, false],
      [64, false],
      [65, true],
      [4_097, false],
      [20_000, true],
    ] as const) {
      const [first] = halves(mib);
      const list = Array.from({ length: mib }, (_, index) => ({
        id: epcDeviceId(index),
        healthy: true,
        ...(numa && { numaNode: index < (first?.mib ?? 0) ? 0 : 1 }),
      }));
      const { encodedBytes } = choose(mib, { numa, perNumaNode: halves(mib) });
      assert.equal(encodedBytes, encodedListSize(list));
      assert.equal(encodedBytes, encodeList(list).length);
    }
  });

  it("--mode counter and the names of Intel publish a counter, however little EPC there is", () => {
    assert.equal(choose(1, { requested: "counter" }).mode, "counter");
    assert.equal(choose(1, { resourceNames: "intel" }).mode, "counter");
    assert.throws(() => choose(1, { resourceNames: "intel", requested: "device" }), { code: "EPC_MODE_UNSUPPORTED" });
  });

  it("without EPC nothing is published, in every mode", () => {
    for (const requested of ["auto", "device", "counter"] as const) assert.equal(choose(0, { requested }).mode, "none");
  });

  it("a node whose EPC changes around the limit does not flap: back to devices only at 64,512 MiB", () => {
    assert.equal(choose(65_536, { previous: "counter" }).mode, "counter");
    assert.equal(choose(64_513, { previous: "counter" }).mode, "counter");
    assert.match(choose(64_513, { previous: "counter" }).why, /stays a counter until EPC is at most 64512 MiB/);
    assert.equal(choose(64_512, { previous: "counter" }).mode, "device");
    assert.equal(choose(65_536, { previous: "device" }).mode, "device");
    assert.equal(choose(65_537, { previous: "device" }).mode, "counter");
  });
});
