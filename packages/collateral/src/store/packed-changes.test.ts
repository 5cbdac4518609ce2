import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packChanges, unpackChanges } from "./packed-changes.ts";
import type { StoreChange } from "./store.ts";

const key = fc.record(
  { qeId: fc.constantFrom("A1", "B2", "C3"), pceId: fc.constantFrom("0000", "0100") },
  { noNullPrototype: true },
);
const times = { issued: 1, nextUpdate: 2 };
const platformChange: fc.Arbitrary<StoreChange> = fc.oneof(
  key.map((of) => ({ drop: "pck-certificates", key: of }) as const),
  key.map((of) => ({ put: "pck-certificate", key: of, certificate: { tcbm: "00", certificate: "pem" } }) as const),
  key.map((of) => ({ put: "platform-tcb", key: { ...of, cpuSvn: "00", pceSvn: "0000" }, tcbm: "00" }) as const),
  key.map(
    (of) =>
      ({
        put: "platform",
        platform: { ...of, platformManifest: "", encryptedPpid: "", fmspc: "0", ca: "platform" },
      }) as const,
  ),
);
const documentChange: fc.Arbitrary<StoreChange> = fc.oneof(
  fc.constant({ put: "pck-chain", ca: "platform", issuerChain: "pem" } as const),
  fc
    .uint8Array()
    .map((crl) => ({ put: "root-ca-crl", crl: { crl: Uint8Array.from(crl), issuerChain: "", ...times } }) as const),
);
const changes = fc.array(fc.oneof(platformChange, documentChange), { maxLength: 30 });

function platformsOf(list: readonly StoreChange[]): string[] {
  const names = list.flatMap((change) => {
    if (!("put" in change)) return [change.key];
    if (change.put === "platform") return [change.platform];
    return change.put === "pck-certificate" || change.put === "platform-tcb" ? [change.key] : [];
  });
  return [...new Set(names.map(({ qeId, pceId }) => `${qeId}/${pceId}`))].sort();
}

test("what is packed comes out as it was, in its order", () => {
  fc.assert(
    fc.property(changes, (list) => {
      const { packed, rows } = packChanges(list);
      assert.equal(rows, list.length);
      const plain = (all: readonly StoreChange[]) =>
        all.map((change) =>
          "put" in change && change.put === "root-ca-crl" ? { ...change.crl, crl: [...change.crl.crl] } : change,
        );
      assert.deepEqual(plain(unpackChanges(packed)), plain(list));
    }),
  );
});

test("listeners are told every document and each platform once, by a certificate where there is one", () => {
  fc.assert(
    fc.property(changes, (list) => {
      const { told } = packChanges(list);
      assert.deepEqual(platformsOf(told), platformsOf(list));
      const aboutPlatforms = told.filter((change) => platformsOf([change]).length > 0);
      assert.equal(aboutPlatforms.length, platformsOf(list).length);
      assert.equal(told.length - aboutPlatforms.length, list.filter((one) => platformsOf([one]).length === 0).length);
      const certificates = (all: readonly StoreChange[]) =>
        platformsOf(all.filter((change) => "put" in change && change.put === "pck-certificate"));
      assert.deepEqual(certificates(told), certificates(list));
    }),
  );
});
