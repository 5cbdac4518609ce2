import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesEqual, readU16, readU32, toHex } from "@confcom/sgx";
import { p256PublicPoint } from "../../crypto/p256.ts";
import { testRandom } from "../../testing/test-platform.ts";
import { CPU_SVNS, type CpuSvnName } from "../cpu/cpu-svn.ts";
import { makeFuses } from "../cpu/fuses.ts";
import { SoftwareCpu } from "../cpu/software-cpu.ts";
import { Pce } from "../pce/pce.ts";
import { attestationScalar, qeId } from "./attestation-key.ts";
import { QuotingEnclave } from "./quoting-enclave.ts";
import { sealTcbOf } from "./sealed-data.ts";

const FUSES = makeFuses("private", testRandom("fuses"));
const cpuAt = (svn: CpuSvnName) => new SoftwareCpu(FUSES, svn, new Uint8Array(32));
const qeAt = (svn: CpuSvnName) => new QuotingEnclave(cpuAt(svn), testRandom("seal"));
const PCE = new Pce(cpuAt("default"));
const QE = qeAt("default");
const PC_INFO = { encryptedPpid: new Uint8Array(384).fill(0xee), pceSvn: 16, pceId: 0, signatureScheme: 0 };
const KEY = QE.storeCertData(
  QE.generateKey(PCE.targetInfo, PC_INFO),
  { cpuSvn: CPU_SVNS.downgraded, pceSvn: 15 },
  new Uint8Array(64).fill(0x5a),
);
const SEALED = QE.seal(KEY);

test("a sealed blob is 2205 bytes and opens to what was sealed", () => {
  assert.equal(SEALED.length, 2205);
  const { key, reseal } = QE.verifyBlob(SEALED);
  assert.deepEqual(key, { ...KEY, sealCpuSvn: CPU_SVNS.default, sealQeIsvSvn: 11 });
  assert.equal(reseal, false);
});

test("its readable part lies where the layout says", () => {
  const clear = SEALED.subarray(560 + 422);
  assert.equal(readU32(SEALED, 512), 422, "offset of the clear text in the payload");
  assert.equal(readU32(SEALED, 528), 422 + 1223, "payload size");
  assert.equal(clear.length, 1223);
  assert.deepEqual([...clear.subarray(0, 2)], [0, 0]);
  assert.ok(bytesEqual(clear.subarray(2, 18), CPU_SVNS.downgraded));
  assert.equal(readU16(clear, 18), 11);
  assert.deepEqual([readU16(clear, 20), readU16(clear, 22)], [15, 0]);
  assert.equal(readU32(clear, 24), 3, "PPID_RSA3072_ENCRYPTED");
  assert.ok(bytesEqual(clear.subarray(28, 44), CPU_SVNS.default));
  assert.ok(bytesEqual(clear.subarray(49, 561), PCE.targetInfo));
  assert.ok(bytesEqual(clear.subarray(561, 993), KEY.qeReport));
  assert.ok(bytesEqual(clear.subarray(993, 1057), KEY.qeReportSignature));
  assert.ok(bytesEqual(clear.subarray(1057, 1121), KEY.publicKey));
  assert.ok(bytesEqual(clear.subarray(1121, 1153), KEY.ecdsaId));
  assert.ok(bytesEqual(clear.subarray(1153, 1169), CPU_SVNS.default));
  assert.equal(readU16(clear, 1169), 11);
  assert.equal(readU32(clear, 1171), 32);
  assert.ok(
    bytesEqual(
      clear.subarray(1175, 1207),
      Uint8Array.from({ length: 32 }, (_, i) => i),
    ),
  );
  assert.ok(bytesEqual(clear.subarray(1207, 1223), qeId(cpuAt("default"))));
});

test("private key and encrypted PPID are nowhere in the blob in clear", () => {
  const hex = toHex(SEALED);
  assert.equal(hex.includes(toHex(KEY.privateKey)), false);
  assert.equal(hex.includes(toHex(KEY.privateKey.toReversed())), false);
  assert.equal(hex.includes("ee".repeat(16)), false);
});

test("any flipped bit is noticed", () => {
  for (let bit = 0; bit < SEALED.length * 8; bit++) {
    const changed = SEALED.slice();
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.throws(() => QE.verifyBlob(changed), { name: "PlatformError" }, `bit ${bit}`);
  }
});

test("another length, another platform's blob and noise are refused", () => {
  const other = new QuotingEnclave(
    new SoftwareCpu(makeFuses("private", testRandom("x")), "default", new Uint8Array(32)),
    testRandom("y"),
  );
  for (const blob of [
    SEALED.subarray(1),
    new Uint8Array(0),
    new Uint8Array(2206),
    other.seal(KEY),
    testRandom("noise")(2205),
  ]) {
    assert.throws(() => QE.verifyBlob(blob), { name: "PlatformError" });
  }
  assert.throws(() => QE.verifyBlob(other.seal(KEY)), { code: "QE_BLOB_ERROR" });
});

test("each seal uses a new key: equal keys give unequal blobs", () => {
  assert.notDeepEqual(QE.seal(KEY), QE.seal(KEY));
});

test("a blob opens at a higher CPUSVN and asks to be sealed again, and not at a lower one", () => {
  const higher = qeAt("upgraded").verifyBlob(SEALED);
  assert.equal(higher.reseal, true);
  const resealed = qeAt("upgraded").seal(higher.key);
  assert.deepEqual(sealTcbOf(resealed), { cpuSvn: CPU_SVNS.upgraded, isvSvn: 11 });
  assert.equal(qeAt("upgraded").verifyBlob(resealed).reseal, false);
  assert.throws(() => QE.verifyBlob(resealed), { code: "EGETKEY_INVALID_CPUSVN" });
  assert.throws(() => qeAt("downgraded").verifyBlob(SEALED), { code: "EGETKEY_INVALID_CPUSVN" });
});

test("a blob whose key, ECDSA_ID and report do not belong together is refused, though sealed by the QE itself", () => {
  for (const wrong of [
    { ...KEY, ecdsaId: new Uint8Array(32) },
    { ...KEY, publicKey: p256PublicPoint(new Uint8Array(32).fill(1)) },
    { ...KEY, qeReport: new Uint8Array(432) },
  ]) {
    assert.throws(() => QE.verifyBlob(QE.seal(wrong)), { code: "QE_BLOB_ERROR", message: /contradicts itself/ });
  }
});

test("the attestation key follows from fuses and CPUSVN alone", () => {
  assert.deepEqual(attestationScalar(cpuAt("default")), KEY.privateKey);
  assert.notDeepEqual(attestationScalar(cpuAt("upgraded")), KEY.privateKey);
  const other = new SoftwareCpu(makeFuses("private", testRandom("x")), "default", new Uint8Array(32));
  assert.notDeepEqual(attestationScalar(other), KEY.privateKey);
});

test("QE_ID is the same at every CPUSVN", () => {
  assert.equal(new Set((["default", "upgraded", "downgraded"] as const).map((svn) => toHex(qeId(cpuAt(svn))))).size, 1);
});

test("no key is made for a target that is no PCE", () => {
  const unprivileged = PCE.targetInfo;
  unprivileged[32] = 0x05;
  const debug = PCE.targetInfo;
  debug[32] = (debug[32] as number) | 2;
  for (const target of [unprivileged, debug]) {
    assert.throws(() => QE.generateKey(target, PC_INFO), { code: "QE_INVALID_PARAMETER" });
  }
});
