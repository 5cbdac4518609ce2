import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { epcDeviceId, epcDeviceIndex } from "./device-ids.ts";
import { preferAllocation } from "./preferred-allocation.ts";

const ids = (...indexes: readonly number[]) => indexes.map(epcDeviceId);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
/** Devices 0-9 on node 0, 10-29 on node 1, 30-99 on node 2. */
const numaNode = (index: number) => (index < 10 ? 0 : index < 30 ? 1 : index < 100 ? 2 : undefined);
const prefer = (available: readonly number[], mustInclude: readonly number[], size: number) =>
  preferAllocation(ids(...available), ids(...mustInclude), size, numaNode).map((id) => epcDeviceIndex(id) as number);

describe("which devices one container should get", () => {
  it("all of one NUMA node, the one where they fit most closely", () => {
    assert.deepEqual(prefer(range(0, 100), [], 8), range(0, 8));
    assert.deepEqual(prefer(range(0, 100), [], 11), range(10, 21));
    assert.deepEqual(prefer(range(0, 100), [], 21), range(30, 51));
    assert.deepEqual(prefer(range(12, 100), [], 8), range(12, 20));
  });

  it("more than any node has: the fullest first, the rest of the next", () => {
    assert.deepEqual(prefer(range(0, 100), [], 75), [...range(30, 100), ...range(10, 15)]);
  });

  it("those that it must have, then their node's", () => {
    assert.deepEqual(prefer(range(0, 100), [25], 4), [25, 10, 11, 12]);
    assert.deepEqual(prefer(range(0, 100), [9, 25, 26], 3), [9, 25, 26]);
    assert.deepEqual(prefer(range(0, 100), [0, 10], 12), [0, 10, ...range(11, 21)]);
  });

  it("ids that are not ours, not published or named twice are left out", () => {
    const available = ["epc-1", "", ...ids(1, 1, 0, 200)];
    assert.deepEqual(preferAllocation(available, ids(0, 0), 4, numaNode), ids(0, 1));
  });

  it("sizes that are no number of devices give what must be included", () => {
    for (const size of [0, -5, Number.NaN]) assert.deepEqual(prefer(range(0, 100), [3], size), [3]);
  });

  it("the same question has the same answer, which holds what it must, nothing twice, nothing else", () => {
    const subset = fc.uniqueArray(fc.nat(99), { maxLength: 100 });
    fc.assert(
      fc.property(subset, fc.nat(10), fc.nat(100), fc.infiniteStream(fc.nat()), (available, count, size, order) => {
        const mustInclude = available.slice(0, Math.min(count, size));
        const answer = prefer(available, mustInclude, size);
        const shuffled = available
          .map((index) => ({ index, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ index }) => index);
        assert.deepEqual(prefer(shuffled, mustInclude, size), answer);
        assert.equal(answer.length, Math.min(size, available.length));
        assert.equal(new Set(answer).size, answer.length);
        assert.ok(answer.every((index) => available.includes(index)));
        assert.ok(mustInclude.every((index) => answer.includes(index)));
        const perNode = (list: readonly number[]) =>
          [0, 1, 2].map((node) => list.filter((i) => numaNode(i) === node).length);
        if (mustInclude.length > 0 || !perNode(available).some((free) => free >= size)) return;
        assert.ok(perNode(answer).filter((used) => used > 0).length <= 1, "fits one node and is on one node");
      }),
    );
  });

  it("262,144 free devices are no more than other questions", () => {
    const available = range(0, 262_144).map(epcDeviceId);
    const answer = preferAllocation(available, [], 131_071, (index) => (index < 131_072 ? 0 : 1));
    assert.equal(answer.length, 131_071);
    assert.equal(answer.at(-1), epcDeviceId(131_070));
  });
});
