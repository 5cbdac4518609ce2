import type { OpenSsl } from "./openssl.ts";

/** The REPORT base key and owner epoch of Intel's SDK simulation: public constants (spec: DCAP §2). */
const REPORT_BASE_KEY = Buffer.from("ff00".repeat(8), "hex");
const OWNER_EPOCH = Buffer.from("THISISOWNEREPOCH", "ascii");
const KEY_NAME_REPORT = 3;

/**
 * Whether a 432-byte report's MAC is the one that the simulated CPU makes for the enclave named by the 512-byte
 * target info. Computed with openssl's CMAC and this file's reading of the 192-byte derivation structure alone, so
 * that it shares no line with what it checks.
 */
export async function simulatedMacHolds(
  openssl: OpenSsl,
  report: Uint8Array,
  targetInfo: Uint8Array,
): Promise<boolean> {
  const source = Buffer.from(report);
  const target = Buffer.from(targetInfo);
  const derivation = Buffer.alloc(192);
  derivation.writeUInt16LE(KEY_NAME_REPORT, 0);
  target.copy(derivation, 8, 32, 48); // ATTRIBUTES
  target.copy(derivation, 24, 52, 56); // MISCSELECT
  OWNER_EPOCH.copy(derivation, 28);
  target.copy(derivation, 44, 0, 32); // MRENCLAVE
  source.copy(derivation, 76, 0, 16); // CPUSVN
  target.copy(derivation, 92, 50, 52); // CONFIGSVN
  target.copy(derivation, 94, 64, 128); // CONFIGID
  source.copy(derivation, 158, 384, 416); // KEYID
  const key = await openssl.cmac(REPORT_BASE_KEY, derivation);
  return (await openssl.cmac(key, source.subarray(0, 384))).equals(source.subarray(416, 432));
}
