import { createCipheriv } from "node:crypto";

// Reports as the SDK's simulated CPU makes them for a given target (spec: DCAP §2), in a few lines that share nothing
// with the code under test.

const REPORT_BASE_KEY = Buffer.from("ff00ff00ff00ff00ff00ff00ff00ff00", "hex");
const OWNER_EPOCH = Buffer.from("THISISOWNEREPOCH", "ascii");
const DEFAULT_CPU_SVN = Buffer.from("4820f3376ae6b2f2034d3b7a4b48a778", "hex");

/** The KEYID of every report of Intel's simulation: half the base key, then zeros. */
export const SIMULATION_KEY_ID = Buffer.concat([REPORT_BASE_KEY, Buffer.alloc(16)]);

/** A 432-byte report of an invented enclave for the enclave of `targetInfo` (512 bytes). */
export function simulatedReport(targetInfo: Buffer, keyId: Buffer, reportData: Buffer): Buffer {
  const report = Buffer.alloc(432);
  DEFAULT_CPU_SVN.copy(report, 0);
  report.writeBigUInt64LE(0x5n, 48); // INIT | MODE64BIT
  report.writeBigUInt64LE(0x3n, 56);
  report.fill(0xe1, 64, 96); // MRENCLAVE
  report.fill(0x51, 128, 160); // MRSIGNER
  report.writeUInt16LE(1, 256);
  reportData.copy(report, 320, 0, 64);
  keyId.copy(report, 384);
  cmac(reportKey(targetInfo, DEFAULT_CPU_SVN, keyId), report.subarray(0, 384)).copy(report, 416);
  return report;
}

function reportKey(targetInfo: Buffer, cpuSvn: Buffer, keyId: Buffer): Buffer {
  const derivation = Buffer.alloc(192);
  derivation.writeUInt16LE(3, 0);
  targetInfo.copy(derivation, 8, 32, 48); // ATTRIBUTES
  targetInfo.copy(derivation, 24, 52, 56); // MISCSELECT
  OWNER_EPOCH.copy(derivation, 28);
  targetInfo.copy(derivation, 44, 0, 32); // MRENCLAVE
  cpuSvn.copy(derivation, 76);
  targetInfo.copy(derivation, 92, 50, 52); // CONFIGSVN
  targetInfo.copy(derivation, 94, 64, 128); // CONFIGID
  keyId.copy(derivation, 158);
  return cmac(REPORT_BASE_KEY, derivation);
}

/** AES-128-CMAC of a whole number of blocks, which both inputs here are. */
function cmac(key: Buffer, message: Buffer): Buffer {
  const encrypt = (iv: Buffer, bytes: Buffer): Buffer => {
    const cipher = createCipheriv("aes-128-cbc", key, iv);
    cipher.setAutoPadding(false);
    return cipher.update(bytes);
  };
  const subkey = doubled(encrypt(Buffer.alloc(16), Buffer.alloc(16)));
  const padded = Buffer.from(message);
  const last = padded.subarray(-16);
  for (const [i, byte] of subkey.entries()) last[i] = (last[i] ?? 0) ^ byte;
  return Buffer.from(encrypt(Buffer.alloc(16), padded).subarray(-16));
}

/** Multiplication by x in GF(2^128) (RFC 4493, 2.3). */
function doubled(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString("hex")}`);
  const carry = value >> 127n === 1n ? 0x87n : 0n;
  const result = ((value << 1n) & ((1n << 128n) - 1n)) ^ carry;
  return Buffer.from(result.toString(16).padStart(32, "0"), "hex");
}
