import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromHex, readU16, readU32, readU64 } from "@confcom/sgx";
import { readGzipLines, type VerificationCase } from "./conformance/verification-cases.ts";
import { trustedRootFromCertificate, verifyQuote } from "./index.ts";
import { nodeCrypto } from "./node-crypto.ts";
import type { SupplementalData } from "./supplemental.ts";
import { encodeSupplementalData, SUPPLEMENTAL_SIZE } from "./supplemental-encoding.ts";

const bytes = (start: number, size: number) => Uint8Array.from({ length: size }, (_, i) => start + i);

const DATA: SupplementalData = {
  earliestIssueDate: -1,
  latestIssueDate: 0x0102030405,
  earliestExpirationDate: 3,
  tcbLevelDateTag: 4,
  pckCrlNumber: 0xfffffffe,
  rootCaCrlNumber: 6,
  tcbEvalRefNumber: 7,
  rootKeyId: bytes(1, 48),
  pckPpid: bytes(64, 16),
  tcbCpuSvn: bytes(96, 16),
  tcbPceIsvSvn: 0x1234,
  pceId: 0xab,
  teeType: 0x81,
  sgxType: 1,
  platformInstanceId: bytes(128, 16),
  dynamicPlatform: true,
  cachedKeys: undefined,
  smtEnabled: false,
  advisoryList: "INTEL-SA-00001,INTEL-SA-00002",
  qeIdentityEarliestIssueDate: 8,
  qeIdentityLatestIssueDate: 9,
  qeIdentityEarliestExpirationDate: 10,
  qeIdentityTcbLevelDateTag: 11,
  qeIdentityTcbEvalRefNumber: 12,
};

describe("sgx_ql_qv_supplemental_t", () => {
  it("has every field where the C structure has it, and zeros between", () => {
    const text = Buffer.from(DATA.advisoryList).toString("hex");
    const expected =
      `03000300${"00".repeat(4)}` + // version 3.3, padding
      "ffffffffffffffff" +
      "0504030201000000" +
      "0300000000000000" +
      "0400000000000000" +
      "feffffff0600000007000000" +
      Buffer.concat([bytes(1, 48), bytes(64, 16), bytes(96, 16)]).toString("hex") +
      "3412ab0081000000" + // PCESVN, PCE-ID, TEE type
      `01${Buffer.from(bytes(128, 16)).toString("hex")}000000` + // SGX type, platform instance, padding
      "010000000200000000000000" + // true, undefined, false
      text.padEnd(640, "0") +
      "00000000" +
      "0800000000000000" +
      "0900000000000000" +
      "0a00000000000000" +
      "0b00000000000000" +
      "0c00000000000000"; // evaluation number, status
    const encoded = encodeSupplementalData(DATA);
    assert.equal(encoded.length, SUPPLEMENTAL_SIZE);
    assert.deepEqual(encoded, fromHex(expected, SUPPLEMENTAL_SIZE));
  });

  it("carries the date of the TCB level and the advisories that the reference verifier reported", () => {
    let seen = 0;
    for (const labelled of readGzipLines<VerificationCase>("verification/cases.jsonl.gz")) {
      const { supplemental } = verifyQuote(Buffer.from(labelled.quote, "base64"), labelled.collateral, {
        now: new Date(labelled.date * 1000),
        trustedRoots: [trustedRootFromCertificate(labelled.trustedRoot)],
        crypto: nodeCrypto,
      });
      if (supplemental === undefined) continue;
      const encoded = encodeSupplementalData(supplemental);
      assert.equal(Number(readU64(encoded, 32)), labelled.expected.tcbLevelDateTag, labelled.name);
      const list = Buffer.from(encoded.subarray(172, 492)).toString("latin1");
      assert.equal(list.slice(0, list.indexOf("\0")), labelled.expected.advisories ?? "", labelled.name);
      assert.deepEqual([readU16(encoded, 0), readU16(encoded, 2), readU32(encoded, 532)], [3, 3, 0]);
      seen++;
    }
    assert.ok(seen > 50, `only ${seen} cases verified`);
  });

  it("ends an advisory list of the longest length with a NUL", () => {
    const encoded = encodeSupplementalData({ ...DATA, advisoryList: "A".repeat(319) });
    assert.equal(encoded[172 + 318], 0x41);
    assert.equal(encoded[172 + 319], 0);
  });
});
