import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { epcDeviceId, epcDeviceIndex } from "./device-ids.ts";
import { EpcPool, type NumaMiB } from "./epc-pool.ts";

const of = (mib: number): readonly NumaMiB[] => [{ node: 0, mib }];
const ids = (...indexes: readonly number[]) => indexes.map(epcDeviceId);
const published = (pool: EpcPool) => [...pool.indexes()];

describe("the pool of EPC devices", () => {
  it("as many devices as MiB, numbered from 0", () => {
    const pool = new EpcPool();
    pool.resize(of(4), [], 0);
    assert.deepEqual(published(pool), [0, 1, 2, 3]);
  });

  it("EPC shrinks: free devices leave, the highest first; held ones stay", () => {
    const pool = new EpcPool();
    pool.resize(of(6), [], 0);
    assert.equal(pool.resize(of(3), ids(1, 5), 0), true);
    assert.deepEqual(published(pool), [0, 1, 5]);
    assert.equal(pool.excess, 0);
    assert.ok([0, 1, 5].every((index) => pool.isBacked(index)));
  });

  it("more held than there is: no free device is left, those with the highest numbers are not backed", () => {
    const pool = new EpcPool();
    pool.resize(of(6), [], 0);
    pool.resize(of(2), ids(0, 2, 3, 5), 0);
    assert.deepEqual(published(pool), [0, 2, 3, 5]);
    assert.deepEqual(
      published(pool).filter((index) => !pool.isBacked(index)),
      [3, 5],
    );
    assert.equal(pool.excess, 2);
    pool.resize(of(2), ids(2, 5), 0);
    assert.deepEqual(published(pool), [2, 5]);
    assert.equal(pool.excess, 0);
  });

  it("EPC grows: the lowest free numbers are added", () => {
    const pool = new EpcPool();
    pool.resize(of(6), [], 0);
    pool.resize(of(2), ids(4, 5), 0);
    pool.resize(of(4), ids(4, 5), 0);
    assert.deepEqual(published(pool), [0, 1, 4, 5]);
  });

  it("says whether anything changed", () => {
    const pool = new EpcPool();
    assert.equal(pool.resize(of(2), [], 0), true);
    assert.equal(pool.resize(of(2), ids(0), 0), false);
    assert.equal(pool.resize(of(1), ids(0), 0), true);
    assert.equal(pool.resize(of(0), ids(0), 0), true, "the same device, no longer backed");
  });

  it("after a restart of the plugin, held devices beyond the present size are in the list at once", () => {
    const pool = new EpcPool();
    pool.resize(of(3), ids(100), 0);
    assert.deepEqual(published(pool), [0, 1, 100]);
  });

  it("ids of other plugins in the kubelet's list, and repeated ones, do not count", () => {
    const pool = new EpcPool();
    pool.resize(of(3), ["epc-000001", "A", "A", ""], 0);
    assert.equal(pool.held, 1);
  });

  it("when the kubelet cannot be asked, what was held stays held", () => {
    const pool = new EpcPool();
    pool.resize(of(4), ids(3), 0);
    pool.grant([2], 1);
    pool.resize(of(1), undefined, 1_000_000);
    assert.deepEqual(published(pool), [2, 3]);
  });

  it("what was just given out stays, although a list that was asked for meanwhile does not name it", () => {
    const pool = new EpcPool();
    pool.resize(of(4), [], 0);
    pool.grant([3], 100);
    pool.resize(of(1), [], 10_099);
    assert.deepEqual([published(pool), pool.held], [[3], 1]);
    pool.resize(of(1), [], 10_100);
    assert.deepEqual([published(pool), pool.held], [[3], 0]);
    pool.resize(of(0), [], 10_100);
    assert.deepEqual(published(pool), []);
  });

  it("NUMA: each node has its own devices; growth and shrinking concern the node whose EPC changes", () => {
    const pool = new EpcPool();
    const nodes = () => published(pool).map((index) => pool.numaNode(index));
    pool.resize(
      [
        { node: 0, mib: 2 },
        { node: 3, mib: 3 },
      ],
      [],
      0,
    );
    assert.deepEqual(nodes(), [0, 0, 3, 3, 3]);
    pool.resize(
      [
        { node: 0, mib: 1 },
        { node: 3, mib: 3 },
      ],
      ids(0),
      0,
    );
    assert.deepEqual(published(pool), [0, 2, 3, 4]);
    pool.resize(
      [
        { node: 0, mib: 1 },
        { node: 3, mib: 5 },
      ],
      ids(0),
      0,
    );
    assert.deepEqual(nodes(), [0, 3, 3, 3, 3, 3]);
    pool.resize([{ node: 3, mib: 1 }], ids(0), 0);
    assert.deepEqual(nodes(), [0], "device 0 is held, so that there is room for no other");
  });

  it("NUMA: after a restart held devices are on the node that they had at first", () => {
    const pool = new EpcPool();
    pool.resize(
      [
        { node: 0, mib: 2 },
        { node: 1, mib: 2 },
      ],
      ids(1, 2, 50),
      0,
    );
    assert.deepEqual(
      published(pool).map((index) => [index, pool.numaNode(index)]),
      [
        [0, 0],
        [1, 0],
        [2, 1],
        [50, 1],
      ],
    );
  });

  it("more EPC than there are ids is refused", () => {
    assert.throws(() => new EpcPool().resize(of(262_145), [], 0), RangeError);
  });
});

/** The kubelet's part: whom it gave what, out of the list that it has. */
class Kubelet {
  readonly containers = new Map<number, readonly string[]>();
  #next = 0;

  held(): string[] {
    return [...this.containers.values()].flat();
  }

  allocate(pool: EpcPool, count: number, now: number): void {
    const held = new Set(this.held());
    const free = published(pool).filter((index) => pool.isBacked(index) && !held.has(epcDeviceId(index)));
    if (free.length < count) return;
    const given = free.slice(free.length - count);
    pool.grant(given, now);
    this.containers.set(this.#next++, given.map(epcDeviceId));
  }

  release(which: number): void {
    const all = [...this.containers.keys()];
    if (all.length > 0) this.containers.delete(all[which % all.length] as number);
  }
}

type Step =
  | { readonly do: "resize"; readonly nodes: readonly NumaMiB[]; readonly reached: boolean; readonly stale: number }
  | { readonly do: "allocate" | "release"; readonly count: number };

const nodes = fc.oneof(
  fc.nat(40).map(of),
  fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => [
    { node: 0, mib: a },
    { node: 1, mib: b },
  ]),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("resize" as const), nodes, reached: fc.boolean(), stale: fc.nat(3) }),
  fc.record({ do: fc.constantFrom("allocate" as const, "release" as const), count: fc.integer({ min: 1, max: 12 }) }),
);

describe("the pool, whatever happens to it", () => {
  it("ids that containers hold stay in the list, none is there twice, none is held by two, no more are listed than max(EPC, held)", () => {
    fc.assert(
      fc.property(nodes, fc.array(step, { maxLength: 30 }), (first, steps) => {
        const pool = new EpcPool({ grantGraceMs: 4 });
        const kubelet = new Kubelet();
        let now = 0;
        /** What a list would have said that was asked for some time ago, and when that was. */
        const earlier: { readonly at: number; readonly held: readonly string[] }[] = [{ at: 0, held: [] }];
        pool.resize(first, [], now);
        for (const one of steps) {
          now++;
          if (one.do === "allocate") kubelet.allocate(pool, one.count, now);
          else if (one.do === "release") kubelet.release(one.count);
          earlier.push({ at: now, held: kubelet.held() });
          if (one.do === "resize") {
            const seen = earlier[Math.max(0, earlier.length - 1 - one.stale)] as (typeof earlier)[number];
            pool.resize(one.nodes, one.reached ? seen.held : undefined, seen.at);
          }
          const list = published(pool);
          const held = kubelet.held();
          assert.equal(new Set(list).size, list.length);
          assert.equal(new Set(held).size, held.length, "one id, one container");
          for (const id of held) assert.ok(pool.has(epcDeviceIndex(id) as number), `${id} is held and not listed`);
          if (one.do !== "resize") continue;
          assert.ok(list.length <= Math.max(pool.total, pool.held));
          assert.equal(list.filter((index) => !pool.isBacked(index)).length, pool.excess);
          assert.equal(list.length, pool.published);
        }
        pool.resize(of(10), kubelet.held(), now + 100);
        assert.equal(pool.held, kubelet.held().length);
        assert.equal(published(pool).length, Math.max(10, kubelet.held().length));
      }),
      { numRuns: 500 },
    );
  });
});
