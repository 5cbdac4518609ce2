import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { toHex } from "@confcom/sgx";
import { DerReader } from "@confcom/sgx/der";
import { REVOCATION_REASONS } from "../revocation-state.ts";
import { profileCrl, SIGNATURE_ALGORITHM_DER, signedParts } from "../testing/profile-der.ts";
import { seededRandom } from "../testing/temporary-authority.ts";
import { newSigningKey, subjectPublicKeyInfo } from "./keys.ts";
import { signRevocationList } from "./revocation-list.ts";

const NOW = new Date("2026-03-04T05:06:07Z");
const LATER = new Date("2026-04-03T05:06:07Z");
const privateKey = newSigningKey(seededRandom("crl"));
const issuer = { commonName: "Confcom Software SGX PCK Platform CA", privateKey };
const profile = {
  issuer: issuer.commonName,
  issuerSpki: subjectPublicKeyInfo(privateKey),
  thisUpdate: "260304050607Z",
  nextUpdate: "260403050607Z",
};

test("an empty CRL is, byte for byte, the profile: version 2, CRL number, AKI, and no list of certificates", async () => {
  for (const number of [1, 127, 128, 255, 256, 65_535, 4_294_967_295]) {
    const der = await signRevocationList(issuer, number, [], NOW, LATER);
    const { tbs, algorithm, signature } = signedParts(der);
    assert.equal(toHex(tbs), toHex(profileCrl({ ...profile, number, revoked: [] })));
    assert.deepEqual(Uint8Array.from(algorithm), SIGNATURE_ALGORITHM_DER);
    assert.ok(verify("sha256", tbs, createPublicKey(privateKey), signature));
  }
});

test("each revoked certificate is listed with its serial number, date and reason", async () => {
  const codes = [1, 2, 3, 4, 5, 9];
  const revoked = REVOCATION_REASONS.map((reason, i) => ({
    serial: `4${i}`.repeat(20),
    date: `2026-02-0${i + 1}T00:00:00Z`,
    reason,
  }));
  const { tbs } = signedParts(await signRevocationList(issuer, 7, revoked, NOW, LATER));
  const expected = revoked.map(({ serial }, i) => ({
    serial,
    date: `26020${i + 1}000000Z`,
    reason: codes[i] as number,
  }));
  assert.equal(toHex(tbs), toHex(profileCrl({ ...profile, number: 7, revoked: expected })));
});

test("a CRL is strict DER, and long enough in hex for verifiers that ask for 300 characters", async () => {
  const der = await signRevocationList(issuer, 1, [], NOW, LATER);
  const reader = new DerReader(der);
  reader.open(0x30);
  while (!reader.done) reader.skip();
  reader.close();
  reader.finish();
  assert.ok(toHex(der).length >= 300);
});
