import assert from "node:assert/strict";
import { constants, createPublicKey, privateDecrypt } from "node:crypto";
import { test } from "node:test";
import { ATTRIBUTE_FLAGS, concatBytes, KEY_NAME, toHex } from "@confcom/sgx";
import { cmac } from "../../crypto/cmac-once.ts";
import { deriveP256Scalar } from "../../crypto/key-derivation.ts";
import { p256KeyPair, verifyP256 } from "../../crypto/p256.ts";
import { testPpidKey, testRandom } from "../../testing/test-platform.ts";
import { CPU_SVN_NAMES, CPU_SVNS, type CpuSvnName } from "../cpu/cpu-svn.ts";
import { enclaveIdentity } from "../cpu/enclave-identity.ts";
import { makeFuses } from "../cpu/fuses.ts";
import { SoftwareCpu } from "../cpu/software-cpu.ts";
import { QE_IDENTITY } from "../qe/qe-identity.ts";
import { encryptionKeyHash, Pce } from "./pce.ts";
import { PCE_ERROR_NUMBERS } from "./pce-errors.ts";
import { PCE_IDENTITY } from "./pce-identity.ts";

const FUSES = makeFuses("sdk-simulation", testRandom("fuses"));
const cpuAt = (svn: CpuSvnName) => new SoftwareCpu(FUSES, svn, new Uint8Array(32));
const CPU = cpuAt("default");
const PCE = new Pce(CPU);

const jwk = createPublicKey(testPpidKey()).export({ format: "jwk" });
const RSA_KEY = concatBytes(Buffer.from(jwk.n ?? "", "base64url"), Uint8Array.of(0, 1, 0, 1));
const RSA_HASH = encryptionKeyHash(1, RSA_KEY);
const reportToPce = (data: Uint8Array, enclave = QE_IDENTITY) => CPU.ereport(enclave, PCE.targetInfo, data);

test("the PPID is a CMAC of zeros under the PROVISION key of TCB zero, the same at every CPUSVN", () => {
  const key = CPU.egetkey(PCE_IDENTITY, {
    keyName: KEY_NAME.PROVISION,
    keyPolicy: 0,
    isvSvn: 0,
    cpuSvn: new Uint8Array(16),
    attributeMask: { flags: 0xfffffffffffffffbn, xfrm: 0n },
    keyId: new Uint8Array(32),
    miscMask: 0xffffffff,
    configSvn: 0,
  });
  assert.equal(toHex(PCE.ppid()), toHex(cmac(key, new Uint8Array(16))));
  for (const svn of CPU_SVN_NAMES) assert.deepEqual(new Pce(cpuAt(svn)).ppid(), PCE.ppid());
});

test("get_pc_info encrypts the PPID so that the owner of the RSA key reads it", () => {
  const info = PCE.getPcInfo(reportToPce(RSA_HASH), RSA_KEY, 1);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const ppid = privateDecrypt({ key: testPpidKey(), padding, oaepHash: "sha256" }, info.encryptedPpid);
  assert.equal(info.encryptedPpid.length, 384);
  assert.equal(toHex(ppid), toHex(PCE.ppid()));
  assert.deepEqual([info.pceSvn, info.pceId, info.signatureScheme], [16, 0, 0]);
});

test("get_pc_info refuses, in the numbers of its interface", () => {
  const unprivileged = enclaveIdentity({ ...QE_IDENTITY, attributes: { flags: ATTRIBUTE_FLAGS.INIT, xfrm: 3n } });
  const table: readonly [string, () => unknown, keyof typeof PCE_ERROR_NUMBERS, number][] = [
    [
      "a report for another enclave",
      () => PCE.getPcInfo(CPU.ereport(QE_IDENTITY, undefined, RSA_HASH), RSA_KEY, 1),
      "PCE_INVALID_REPORT",
      0xf005,
    ],
    [
      "an enclave without PROVISIONKEY",
      () => PCE.getPcInfo(reportToPce(RSA_HASH, unprivileged), RSA_KEY, 1),
      "PCE_INVALID_PRIVILEGE",
      0xf007,
    ],
    [
      "a report that names another key",
      () => PCE.getPcInfo(reportToPce(new Uint8Array(32)), RSA_KEY, 1),
      "PCE_CRYPTO_ERROR",
      0xf006,
    ],
    [
      "report data with more than the hash",
      () => PCE.getPcInfo(reportToPce(concatBytes(RSA_HASH, Uint8Array.of(1))), RSA_KEY, 1),
      "PCE_CRYPTO_ERROR",
      0xf006,
    ],
    ["another crypto suite", () => PCE.getPcInfo(reportToPce(RSA_HASH), RSA_KEY, 2), "PCE_INVALID_PARAMETER", 0xf002],
    [
      "a key of another size",
      () => PCE.getPcInfo(reportToPce(RSA_HASH), RSA_KEY.subarray(1), 1),
      "PCE_INVALID_PARAMETER",
      0xf002,
    ],
    ["a report of another size", () => PCE.getPcInfo(new Uint8Array(431), RSA_KEY, 1), "PCE_INVALID_PARAMETER", 0xf002],
  ];
  for (const [what, call, code, number] of table) {
    assert.throws(call, { code }, what);
    assert.equal(PCE_ERROR_NUMBERS[code], number);
  }
});

test("certify_enclave signs the 384-byte body with the key that pckPublicKey names, per TCB", () => {
  const report = reportToPce(new Uint8Array(64).fill(7));
  const keys = new Set<string>();
  for (const [cpuSvn, pceSvn] of [
    [CPU_SVNS.default, 16],
    [CPU_SVNS.downgraded, 16],
    [CPU_SVNS.default, 15],
  ] as const) {
    const tcb = { cpuSvn, pceSvn };
    const provisionKey = CPU.egetkey(PCE_IDENTITY, {
      keyName: KEY_NAME.PROVISION,
      keyPolicy: 0,
      isvSvn: pceSvn,
      cpuSvn,
      attributeMask: { flags: 0xfffffffffffffffbn, xfrm: 0n },
      keyId: new Uint8Array(32),
      miscMask: 0xffffffff,
      configSvn: 0,
    });
    const { publicKey, publicPoint } = p256KeyPair(deriveP256Scalar(provisionKey, "PAK_KEY_DER"));
    assert.deepEqual(PCE.pckPublicKey(tcb), publicPoint);
    assert.ok(verifyP256(publicKey, report.subarray(0, 384), PCE.certifyEnclave(tcb, report)));
    keys.add(toHex(publicPoint));
  }
  assert.equal(keys.size, 3, "one key per TCB");
});

test("certify_enclave refuses a TCB above its own, and reports as get_pc_info does", () => {
  const report = reportToPce(new Uint8Array(64));
  const raw = PCE.rawTcb;
  assert.throws(() => PCE.certifyEnclave({ ...raw, cpuSvn: CPU_SVNS.upgraded }, report), { code: "PCE_INVALID_TCB" });
  assert.throws(() => PCE.certifyEnclave({ ...raw, pceSvn: 17 }, report), { code: "PCE_INVALID_TCB" });
  assert.throws(
    () =>
      PCE.certifyEnclave(
        raw,
        report.map((b, i) => (i === 431 ? b ^ 1 : b)),
      ),
    { code: "PCE_INVALID_REPORT" },
  );
  const unprivileged = enclaveIdentity({ attributes: { flags: ATTRIBUTE_FLAGS.INIT, xfrm: 3n } });
  assert.throws(() => PCE.certifyEnclave(raw, reportToPce(new Uint8Array(64), unprivileged)), {
    code: "PCE_INVALID_PRIVILEGE",
  });
  assert.equal(PCE_ERROR_NUMBERS.PCE_INVALID_TCB, 0xf008);
});

test("another set of fuses is another platform: other PPID, other PCK key", () => {
  const other = new Pce(
    new SoftwareCpu(makeFuses("sdk-simulation", testRandom("others")), "default", new Uint8Array(32)),
  );
  assert.notDeepEqual(other.ppid(), PCE.ppid());
  assert.notDeepEqual(other.pckPublicKey(other.rawTcb), PCE.pckPublicKey(PCE.rawTcb));
});
