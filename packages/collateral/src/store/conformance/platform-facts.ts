import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlatformKey, StoredPlatform } from "../store.ts";
import { certificate, platform, platformKey, rawTcb, tcbm, wholePlatform } from "./sample-rows.ts";
import type { WithStore } from "./with-store.ts";

export function platformFacts(name: string, withStore: WithStore): void {
  test(`${name}: an answer to /pckcert needs platform, raw TCB, certificate and chain`, () =>
    withStore(async (store) => {
      const parts = [
        ...wholePlatform(1),
        { put: "pck-chain", ca: "platform", issuerChain: "intermediate and root" } as const,
      ];
      for (const part of parts) {
        assert.equal(await store.pckAnswer(rawTcb(1)), undefined);
        await store.write([part]);
      }
      assert.deepEqual(await store.pckAnswer(rawTcb(1)), {
        ...certificate(1),
        fmspc: "00A067110000",
        ca: "platform",
        issuerChain: "intermediate and root",
      });
      for (const other of [
        { ...rawTcb(1), qeId: rawTcb(2).qeId },
        { ...rawTcb(1), pceId: "0100" },
        { ...rawTcb(1), cpuSvn: rawTcb(1, 1).cpuSvn },
        { ...rawTcb(1), pceSvn: "0E00" },
      ]) {
        assert.equal(await store.pckAnswer(other), undefined);
      }
    }));

  test(`${name}: a raw TCB is moved to another certificate by writing it again`, () =>
    withStore(async (store) => {
      await store.write([
        ...wholePlatform(1),
        { put: "pck-chain", ca: "platform", issuerChain: "chain" },
        { put: "pck-certificate", key: platformKey(1), certificate: certificate(1, 7) },
        { put: "platform-tcb", key: rawTcb(1), tcbm: tcbm(7) },
      ]);
      assert.equal((await store.pckAnswer(rawTcb(1)))?.certificate, certificate(1, 7).certificate);
      assert.deepEqual(await store.rawTcbs(platformKey(1)), [{ ...rawTcb(1), tcbm: tcbm(7) }]);
    }));

  test(`${name}: dropped certificates take their raw TCBs along; the platform and others' stay`, () =>
    withStore(async (store) => {
      await store.write([...wholePlatform(1), ...wholePlatform(2)]);
      await store.write([{ drop: "pck-certificates", key: platformKey(1) }]);
      assert.deepEqual(await store.pckCertificates(platformKey(1)), []);
      assert.deepEqual(await store.rawTcbs(platformKey(1)), []);
      assert.deepEqual(await store.platform(platformKey(1)), platform(1));
      assert.deepEqual(await store.pckCertificates(platformKey(2)), [certificate(2)]);
      assert.equal((await store.rawTcbs(platformKey(2))).length, 1);
    }));

  test(`${name}: changes of a batch happen in their order`, () =>
    withStore(async (store) => {
      await store.write([
        ...wholePlatform(1),
        { drop: "pck-certificates", key: platformKey(1) },
        { put: "pck-certificate", key: platformKey(1), certificate: certificate(1, 3) },
        { put: "platform", platform: platform(1, "111111111111") },
        { put: "platform", platform: platform(1, "222222222222") },
      ]);
      assert.deepEqual(await store.pckCertificates(platformKey(1)), [certificate(1, 3)]);
      assert.deepEqual(await store.rawTcbs(platformKey(1)), []);
      assert.equal((await store.platform(platformKey(1)))?.fmspc, "222222222222");
    }));

  test(`${name}: a platform with the longest QE ID, a long manifest and no encrypted PPID is kept`, () =>
    withStore(async (store) => {
      const key: PlatformKey = { qeId: "F".repeat(260), pceId: "0000" };
      const odd: StoredPlatform = {
        ...key,
        platformManifest: "AB".repeat(50_000),
        encryptedPpid: "",
        fmspc: "",
        ca: "processor",
      };
      await store.write([{ put: "platform", platform: odd }]);
      assert.deepEqual(await store.platform(key), odd);
      assert.equal(await store.platform({ ...key, qeId: "F".repeat(259) }), undefined);
      assert.deepEqual(await store.platforms([""], undefined, 10), [odd]);
    }));

  test(`${name}: platforms are paged in the order of their keys, of all FMSPCs or of some`, () =>
    withStore(async (store) => {
      const all = Array.from({ length: 25 }, (_, n) => platform(n, n % 2 === 0 ? "00A067110000" : "00906ED50000"));
      const shuffled = all.toSorted((a, b) => a.qeId.slice(-1).localeCompare(b.qeId.slice(-1)));
      // The same QE under another PCE comes after it.
      const second = { ...platform(3, "00A067110000"), pceId: "0100" };
      await store.write([...shuffled, second].map((row) => ({ put: "platform", platform: row })));
      const expected = all.toSpliced(4, 0, second);

      const paged: StoredPlatform[] = [];
      for (let page = await store.platforms(undefined, undefined, 4); page.length > 0; ) {
        assert.ok(page.length <= 4);
        paged.push(...page);
        page = await store.platforms(undefined, page.at(-1), 4);
      }
      assert.deepEqual(paged, expected);
      const some = ["00A067110000", "FFFFFFFFFFFF"];
      assert.deepEqual(
        await store.platforms(some, undefined, 100),
        expected.filter((row) => row.fmspc === "00A067110000"),
      );
      assert.deepEqual(
        await store.platforms(some, platformKey(10), 2),
        expected.filter((row) => row.fmspc === "00A067110000" && row.qeId > platformKey(10).qeId).slice(0, 2),
      );
      assert.deepEqual(await store.platforms([], undefined, 100), []);
    }));

  test(`${name}: counts are those of platforms and certificates`, () =>
    withStore(async (store) => {
      assert.deepEqual(await store.counts(), { platforms: 0, certificates: 0 });
      await store.write([
        ...wholePlatform(1),
        ...wholePlatform(2),
        { put: "pck-certificate", key: platformKey(2), certificate: certificate(2, 5) },
      ]);
      assert.deepEqual(await store.counts(), { platforms: 2, certificates: 3 });
    }));
}
