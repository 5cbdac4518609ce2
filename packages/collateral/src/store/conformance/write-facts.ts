import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreChange } from "../store.ts";
import { crl, platform, platformKey, rawTcb, registration, wholePlatform } from "./sample-rows.ts";
import type { WithStore } from "./with-store.ts";

export function writeFacts(name: string, withStore: WithStore): void {
  test(`${name}: an empty batch is written at once`, () => withStore((store) => store.write([])));

  test(`${name}: what is written is read in the turn after`, () =>
    withStore(async (store) => {
      for (let n = 0; n < 50; n++) {
        await store.write([{ put: "root-ca-crl", crl: crl(n) }]);
        assert.equal((await store.rootCaCrl())?.issued, crl(n).issued);
      }
    }));

  test(`${name}: 10,000 rows are one batch`, () =>
    withStore(async (store) => {
      const changes: StoreChange[] = [{ put: "pck-chain", ca: "platform", issuerChain: "chain" }];
      for (let n = 0; changes.length < 10_000; n++) changes.push(...wholePlatform(n));
      await store.write(changes);
      const { platforms, certificates } = await store.counts();
      assert.equal(platforms, 3333);
      assert.equal(certificates, 3333);
      for (const n of [0, 1, 1666, 3332]) {
        assert.notEqual(await store.pckAnswer(rawTcb(n)), undefined);
      }
      assert.equal(await store.pckAnswer(rawTcb(3333)), undefined);
    }));

  test(`${name}: listeners hear of every batch after its commit, in order, until they are taken off`, () =>
    withStore(async (store) => {
      const heard: string[] = [];
      const off = store.onChange((changes) => {
        for (const change of changes ?? []) {
          if ("put" in change && change.put === "platform") heard.push(change.platform.qeId);
        }
      });
      const expected: string[] = [];
      for (let n = 0; n < 5; n++) {
        await store.write([{ put: "platform", platform: platform(n) }]);
        expected.push(platformKey(n).qeId);
      }
      assert.deepEqual(heard, expected);
      off();
      await store.write([{ put: "platform", platform: platform(9) }]);
      assert.deepEqual(heard, expected);
    }));

  test(`${name}: a listener that fails makes no write fail, and keeps no other from hearing`, () =>
    withStore(async (store) => {
      let heard = 0;
      store.onChange(() => {
        throw new Error("a defect of the listener");
      });
      store.onChange(() => {
        heard++;
      });
      await store.write([{ put: "platform", platform: platform(1) }]);
      assert.equal(heard, 1);
    }));

  test(`${name}: a listener reads what it is told of`, () =>
    withStore(async (store) => {
      const reads: unknown[] = [];
      store.onChange(() => void reads.push(store.platform(platformKey(1))));
      await store.write([{ put: "platform", platform: platform(1) }]);
      assert.deepEqual(await Promise.all(reads), [platform(1)]);
    }));

  test(`${name}: a store is ready until it is closed, and says so after`, () =>
    withStore(async (store) => {
      await store.ping();
      const last = store.write(wholePlatform(1));
      await store.close();
      await last;
      await assert.rejects(store.ping());
      await assert.rejects(store.write(wholePlatform(2)));
      // Closing twice is no failure.
      await store.close();
    }));
}

/** Of stores that refuse a row. NULL where the schema wants a text stands for whatever fails within a transaction. */
export function failedWriteFacts(name: string, withStore: WithStore): void {
  test(`${name}: a batch that cannot be written as a whole leaves nothing behind`, () =>
    withStore(async (store) => {
      const broken = { ...platform(2), fmspc: null } as unknown as ReturnType<typeof platform>;
      const batch: StoreChange[] = [...wholePlatform(1), { put: "platform", platform: broken }, ...wholePlatform(3)];
      await assert.rejects(store.write(batch), (error: { code?: unknown }) => /^STORE_/.test(String(error.code)));
      assert.deepEqual(await store.counts(), { platforms: 0, certificates: 0 });
      await store.write(wholePlatform(4));
      assert.deepEqual(await store.counts(), { platforms: 1, certificates: 1 });
    }));

  test(`${name}: a batch that fails takes no other batch along that waits with it`, () =>
    withStore(async (store) => {
      const broken = { ...platform(2), fmspc: null } as unknown as ReturnType<typeof platform>;
      const writes = Array.from({ length: 30 }, (_, n) =>
        store.write(n === 7 ? [{ put: "platform", platform: broken }] : wholePlatform(n)),
      );
      const outcomes = await Promise.allSettled(writes);
      assert.deepEqual(
        outcomes.flatMap(({ status }, n) => (status === "rejected" ? [n] : [])),
        [7],
      );
      assert.deepEqual(await store.counts(), { platforms: 29, certificates: 29 });
    }));

  test(`${name}: a write that fails is no change`, () =>
    withStore(async (store) => {
      let heard = 0;
      store.onChange(() => {
        heard++;
      });
      const broken = { ...registration(2), encryptedPpid: null } as unknown as ReturnType<typeof registration>;
      await assert.rejects(store.write([{ put: "registration", registration: broken }]));
      assert.equal(heard, 0);
    }));
}
