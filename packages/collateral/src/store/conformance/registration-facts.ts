import assert from "node:assert/strict";
import { test } from "node:test";
import { registration } from "./sample-rows.ts";
import type { WithStore } from "./with-store.ts";

export function registrationFacts(name: string, withStore: WithStore): void {
  test(`${name}: registrations are listed by state, at most as many as asked for`, () =>
    withStore(async (store) => {
      const rows = [registration(1), registration(2, "not-available"), registration(3, "deleted"), registration(4)];
      await store.write(rows.map((row) => ({ put: "registration", registration: row })));
      assert.deepEqual(await store.registrations(["new"], 10), [rows[0], rows[3]]);
      assert.deepEqual(await store.registrations(["not-available", "deleted"], 10), [rows[1], rows[2]]);
      assert.deepEqual(await store.registrations(["new", "not-available", "deleted"], 2), [rows[0], rows[1]]);
      assert.deepEqual(await store.registrations([], 10), []);
    }));

  test(`${name}: a registration is replaced by the same platform's at the same TCB`, () =>
    withStore(async (store) => {
      await store.write([{ put: "registration", registration: registration(1, "deleted") }]);
      const again = { ...registration(1), platformManifest: "AABB", encryptedPpid: "" };
      await store.write([{ put: "registration", registration: again }]);
      assert.deepEqual(await store.registrations(["new", "deleted"], 10), [again]);
    }));

  test(`${name}: what is taken is handed over with its state and marked deleted`, () =>
    withStore(async (store) => {
      const rows = [registration(1), registration(2, "not-available"), registration(3)];
      await store.write(rows.map((row) => ({ put: "registration", registration: row })));
      assert.deepEqual(await store.takeRegistrations(["new"]), [rows[0], rows[2]]);
      assert.deepEqual(await store.takeRegistrations(["new"]), []);
      assert.equal((await store.registrations(["deleted"], 10)).length, 2);
      assert.deepEqual(await store.registrations(["not-available"], 10), [rows[1]]);
    }));

  test(`${name}: what is too much for one answer waits for the next`, () =>
    withStore(async (store) => {
      const rows = [1, 2, 3].map((n) => ({ ...registration(n), platformManifest: "A".repeat(10_000) }));
      await store.write(rows.map((row) => ({ put: "registration", registration: row })));
      assert.deepEqual(await store.takeRegistrations(["new"], 25_000), rows.slice(0, 2));
      assert.deepEqual(await store.takeRegistrations(["new"], 25_000), rows.slice(2));
      assert.deepEqual(await store.takeRegistrations(["new"], 25_000), []);
    }));

  test(`${name}: nothing is handed over twice, however many take at once`, () =>
    withStore(async (store) => {
      const rows = Array.from({ length: 200 }, (_, n) => registration(n));
      const takes: Promise<readonly unknown[]>[] = [];
      for (let start = 0; start < rows.length; start += 20) {
        const batch = rows.slice(start, start + 20);
        const written = store.write(batch.map((row) => ({ put: "registration", registration: row })));
        takes.push(store.takeRegistrations(["new"]), store.takeRegistrations(["new"]));
        await written;
      }
      const taken = (await Promise.all(takes)).flat();
      taken.push(...(await store.takeRegistrations(["new"])));
      assert.equal(taken.length, rows.length);
      assert.equal(new Set(taken.map((row) => JSON.stringify(row))).size, rows.length);
    }));
}
