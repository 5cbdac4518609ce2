import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CollateralStore, StoreChange } from "@confcom/collateral/store";
import { type PostgresServer, startPostgres, withClient } from "@confcom/collateral/store/postgres/testing";
import { eventually } from "./eventually.ts";
import { openStore } from "./open-store.ts";
import { chain, platformKey, rawTcb, registration, rootCaCrl, wholePlatform } from "./rows.ts";

let server: PostgresServer;

before(async () => {
  server = await startPostgres();
});
after(() => server.close());

/** Several stores on one new database, as many replicas have it. */
async function withReplicas(
  count: number,
  fact: (replicas: readonly CollateralStore[], url: string) => Promise<void>,
): Promise<void> {
  const url = await server.createDatabase();
  // Together, as a deployment starts them: one creates the schema.
  const opened = await Promise.allSettled(Array.from({ length: count }, () => openStore(url)));
  const replicas = opened.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  try {
    for (const outcome of opened) if (outcome.status === "rejected") throw outcome.reason;
    await fact(replicas, url);
  } finally {
    await Promise.all(replicas.map((replica) => replica.close()));
  }
}

const first = (replicas: readonly CollateralStore[]) => replicas[0] as CollateralStore;
const second = (replicas: readonly CollateralStore[]) => replicas[1] as CollateralStore;

async function deadlocks(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ deadlocks: string }>(
      "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    );
    return Number(rows[0]?.deadlocks);
  });
}

test("a replica hears what another wrote, as the state it came to; the writer hears it once", () =>
  withReplicas(2, async (replicas) => {
    const own: (readonly StoreChange[] | undefined)[] = [];
    const others: (readonly StoreChange[] | undefined)[] = [];
    first(replicas).onChange((changes) => own.push(changes));
    second(replicas).onChange((changes) => others.push(changes));
    await first(replicas).write([...wholePlatform(1), chain, rootCaCrl(5)]);
    await first(replicas).write([{ drop: "pck-certificates", key: platformKey(1) }]);
    await eventually("both changes are heard", () => others.length === 2);
    const [platform, certificate, tcb] = wholePlatform(1);
    assert.deepEqual(JSON.parse(JSON.stringify(others[1])), [
      platform,
      { drop: "pck-certificates", key: platformKey(1) },
    ]);
    assert.equal(own.length, 2);
    // Either before or after the drop: what is read is what is there.
    assert.ok(others[0]?.some((change) => "put" in change && change.put === "pck-chain"));
    assert.ok(others[0]?.some((change) => "put" in change && change.put === "root-ca-crl"));
    await first(replicas).write([certificate as StoreChange, tcb as StoreChange]);
    await eventually("the certificate is heard of", () => others.length === 3);
    assert.deepEqual(others[2], [platform, { drop: "pck-certificates", key: platformKey(1) }, certificate, tcb]);
  }));

test("a batch too large for a notification is heard of as anything", () =>
  withReplicas(2, async (replicas) => {
    const heard: unknown[] = [];
    second(replicas).onChange((changes) => heard.push(changes));
    await first(replicas).write(Array.from({ length: 100 }, (_, n) => wholePlatform(n)).flat());
    await eventually("it is heard of", () => heard.length === 1);
    assert.deepEqual(heard, [undefined]);
  }));

test("of 10,000 who want one key at once among four replicas, one has it; so in 200 rounds", () =>
  withReplicas(4, async (replicas) => {
    const asked = Array.from({ length: 10_000 }, (_, n) => replicas[n % 4]?.leases.acquire("cold", 60_000));
    assert.equal((await Promise.all(asked)).filter(Boolean).length, 1);
    for (let round = 0; round < 200; round++) {
      const won = await Promise.all(replicas.map(({ leases }) => leases.acquire(`key ${round}`, 60_000)));
      assert.equal(won.filter(Boolean).length, 1);
    }
  }));

test("who lost hears of the release in another replica long before the lease ends, and gets it next", () =>
  withReplicas(2, async (replicas) => {
    assert.equal(await first(replicas).leases.acquire("key", 80_000_000), true);
    const waiting = Array.from({ length: 50 }, () =>
      second(replicas).leases.released("key", 80_000_000, new AbortController().signal),
    );
    await first(replicas).leases.release("key");
    await Promise.all(waiting);
    assert.equal(await second(replicas).leases.acquire("key", 60_000), true);
  }));

test("a replica that is closed gives back what it holds", () =>
  withReplicas(2, async (replicas) => {
    await first(replicas).leases.acquire("key", 80_000_000);
    const waiting = second(replicas).leases.released("key", 80_000_000, new AbortController().signal);
    await first(replicas).close();
    await waiting;
    assert.equal(await second(replicas).leases.acquire("key", 60_000), true);
  }));

test("registrations are handed over once, while four replicas take and write", () =>
  withReplicas(4, async (replicas) => {
    const taken: string[] = [];
    let writing = true;
    const takers = replicas.map(async (replica) => {
      while (writing) for (const row of await replica.takeRegistrations(["new"])) taken.push(row.qeId);
    });
    for (let start = 0; start < 1_000; start += 50) {
      await Promise.all(
        replicas.map((replica, i) =>
          replica.write(
            Array.from({ length: 50 }, (_, n) => ({
              put: "registration",
              registration: registration(i * 1_000 + start + n),
            })),
          ),
        ),
      );
    }
    writing = false;
    await Promise.all(takers);
    for (const row of await first(replicas).takeRegistrations(["new"])) taken.push(row.qeId);
    assert.equal(taken.length, 4_000);
    assert.equal(new Set(taken).size, 4_000);
  }));

test("four replicas that write the same platforms in any order do not deadlock", () =>
  withReplicas(4, async (replicas, url) => {
    // The same sequence each time; what matters is that orders differ between replicas.
    let state = 42;
    const below = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % limit;
    };
    const batch = (mark: number): StoreChange[] =>
      Array.from({ length: 1 + below(12) }, (): StoreChange[] => {
        const n = below(20);
        switch (below(4)) {
          case 0:
            return [{ drop: "pck-certificates", key: platformKey(n) }, ...wholePlatform(n, mark)];
          case 1:
            return [rootCaCrl(below(100)), ...wholePlatform(n, mark)];
          case 2:
            return [{ put: "registration", registration: registration(n) }, chain];
          default:
            return wholePlatform(n, mark);
        }
      }).flat();
    const lanes = replicas.flatMap((replica, i) =>
      Array.from({ length: 4 }, async (_, lane) => {
        for (let round = 0; round < 40; round++) {
          await replica.write(batch(i * 1_000 + round));
          if (lane === 0) await replica.takeRegistrations(["new"]);
        }
      }),
    );
    await Promise.all(lanes);
    assert.equal(await deadlocks(url), 0);
    await first(replicas).write([chain, ...Array.from({ length: 20 }, (_, n) => wholePlatform(n, 7)).flat()]);
    for (let n = 0; n < 20; n++) assert.equal((await second(replicas).pckAnswer(rawTcb(n)))?.fmspc, "000000000007");
  }));
