import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StoreChange } from "../store.ts";
import { type Batch, batchOf, urlCrl } from "./batch.ts";
import type { Row, TableName } from "./tables.ts";
import { writeLocks } from "./write-locks.ts";

const KEYS = ["A", "B", "C"].map((qeId) => ({ qeId, pceId: "0000" }));

const keys = fc.constantFrom(...KEYS);
const small = fc.integer({ min: 0, max: 3 });
const changes: fc.Arbitrary<StoreChange> = fc.oneof(
  fc.record({ drop: fc.constant("pck-certificates" as const), key: keys }),
  fc.tuple(keys, small).map(
    ([key, n]) =>
      ({
        put: "platform",
        platform: { ...key, platformManifest: "", encryptedPpid: "", fmspc: `${n}`, ca: "platform" },
      }) as const,
  ),
  fc
    .tuple(keys, small, small)
    .map(
      ([key, n, m]) => ({ put: "pck-certificate", key, certificate: { tcbm: `${n}`, certificate: `${m}` } }) as const,
    ),
  fc
    .tuple(keys, small, small)
    .map(
      ([key, n, m]) => ({ put: "platform-tcb", key: { ...key, cpuSvn: `${n}`, pceSvn: "" }, tcbm: `${m}` }) as const,
    ),
  fc
    .tuple(small, small)
    .map(
      ([issued, n]) =>
        ({ put: "crl", url: "u", crl: { crl: Uint8Array.of(n), issuerChain: "", issued, nextUpdate: 9 } }) as const,
    ),
);

/** What the statements of a batch do to tables: the drops, then the rows, by key and date. */
function apply(tables: Map<string, Row>, { drops, rows }: Batch): void {
  for (const { qeId, pceId } of drops) {
    for (const [id, row] of tables) {
      if (/^(pckCertificate|platformTcb)\n/.test(id) && row[0] === qeId && row[1] === pceId) tables.delete(id);
    }
  }
  const keyColumns: Partial<Record<TableName, number>> = { platform: 2, pckCertificate: 3, platformTcb: 4, crl: 1 };
  for (const { table, rows: some } of rows) {
    for (const row of some) {
      const id = [table, ...row.slice(0, keyColumns[table])].join("\n");
      const earlier = tables.get(id);
      if (table === "crl" && earlier !== undefined && (earlier[4] as number) > (row[4] as number)) continue;
      tables.set(id, row);
    }
  }
}

const sorted = (tables: Map<string, Row>) => [...tables].sort(([a], [b]) => (a < b ? -1 : 1));

test("a batch comes to the same as its changes one after the other", () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 12 }), fc.array(changes, { maxLength: 20 }), (before, batch) => {
      const oneByOne = new Map<string, Row>();
      const together = new Map<string, Row>();
      for (const change of before) {
        apply(oneByOne, batchOf([change]));
        apply(together, batchOf([change]));
      }
      for (const change of batch) apply(oneByOne, batchOf([change]));
      apply(together, batchOf(batch));
      assert.deepEqual(sorted(together), sorted(oneByOne));
    }),
  );
});

test("changes of one platform share a lock, whatever they change", () => {
  const key = { qeId: "A", pceId: "0000" };
  const rawTcb = { ...key, cpuSvn: "", pceSvn: "" };
  const { lockKeys } = batchOf([
    { put: "platform", platform: { ...key, platformManifest: "", encryptedPpid: "", fmspc: "", ca: "platform" } },
    { put: "pck-certificate", key, certificate: { tcbm: "", certificate: "" } },
    { put: "platform-tcb", key: rawTcb, tcbm: "" },
    { drop: "pck-certificates", key },
    { put: "registration", registration: { ...rawTcb, encryptedPpid: "", platformManifest: "", state: "new" } },
  ]);
  assert.equal(lockKeys.length, 1);
});

test("locks are in ascending order, each once, at most 64 of them", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 300 }), (texts) => {
      const locks = writeLocks(texts);
      assert.deepEqual(
        locks,
        [...new Set(locks)].sort((a, b) => a - b),
      );
      assert.ok(locks.every((lock) => lock >= 0 && lock < 64));
      assert.ok(texts.every((text) => locks.includes(writeLocks([text])[0] ?? -1)));
    }),
  );
});

test("a CRL's row has a short name, whatever its URL", () => {
  assert.equal(urlCrl("https://crl.example/a").length, urlCrl("x".repeat(100_000)).length);
  assert.notEqual(urlCrl("https://crl.example/a"), urlCrl("https://crl.example/b"));
});
