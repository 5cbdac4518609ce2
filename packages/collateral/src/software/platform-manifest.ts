import { createPublicKey, verify } from "node:crypto";
import { p256Spki } from "@confcom/quoting/provisioning";
import type { PckTcbKey, PlatformRegistrant } from "@confcom/quoting/software";
import { assertSize, bytesEqual, fromHex, readU16, toHex, writeU16 } from "@confcom/sgx";
import { CollateralError } from "../errors.ts";
import { upperHex } from "../hexadecimal.ts";

/**
 * The software platform's manifest: what it sends as `platform_manifest` of POST /platforms, in hexadecimal. Intel's is
 * made by the BIOS and opaque; this one is
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 24 | "confcom platform", 8 zero bytes |
 * | 24 | 2 | version: 1 (numbers are little-endian) |
 * | 26 | 2 | n: number of keys, 1 to 16 |
 * | 28 | 16 | PPID |
 * | 44 | 82 n | for each TCB: CPUSVN (16), PCESVN (2), PCK public key x, y (64); no TCB twice |
 * | 44 + 82 n | 64 n | for each key in the same order: its ECDSA signature r, s over everything before the signatures |
 *
 * The signatures prove that whoever registers has the keys. What they cover is never 384 bytes long, so none of them
 * passes as the certification of a quoting enclave's report.
 */
export interface PlatformManifest {
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  readonly keys: readonly PckTcbKey[];
}

const MAGIC = new Uint8Array(24);
MAGIC.set(new TextEncoder().encode("confcom platform"));
const VERSION = 1;
const HEADER_SIZE = 44;
const KEY_SIZE = 82;
const SIGNATURE_SIZE = 64;
export const MAX_MANIFEST_KEYS = 16;
/** Hexadecimal digits of the largest manifest. */
export const MAX_MANIFEST_DIGITS = 2 * (HEADER_SIZE + MAX_MANIFEST_KEYS * (KEY_SIZE + SIGNATURE_SIZE));

/** The manifest of a platform, upper-case hexadecimal, each key's proof included. `ppid`: 16 bytes. */
export function encodePlatformManifest(
  ppid: Uint8Array,
  { keys, proveKey }: Pick<PlatformRegistrant, "keys" | "proveKey">,
): string {
  assertSize(ppid, 16, "PPID");
  if (keys.length < 1 || keys.length > MAX_MANIFEST_KEYS) {
    throw new RangeError(`a platform manifest has 1 to ${MAX_MANIFEST_KEYS} keys, not ${keys.length}`);
  }
  const signedSize = HEADER_SIZE + keys.length * KEY_SIZE;
  const out = new Uint8Array(signedSize + keys.length * SIGNATURE_SIZE);
  out.set(MAGIC);
  writeU16(out, 24, VERSION);
  writeU16(out, 26, keys.length);
  out.set(ppid, 28);
  keys.forEach(({ cpuSvn, pceSvn, pckPublicKey }, i) => {
    assertSize(cpuSvn, 16, "CPUSVN");
    assertSize(pckPublicKey, 64, "PCK public key");
    const at = HEADER_SIZE + i * KEY_SIZE;
    out.set(cpuSvn, at);
    writeU16(out, at + 16, pceSvn);
    out.set(pckPublicKey, at + 18);
  });
  const signed = out.slice(0, signedSize);
  keys.forEach((key, i) => {
    const signature = proveKey(key, signed);
    assertSize(signature, SIGNATURE_SIZE, "proof of a PCK key");
    out.set(signature, signedSize + i * SIGNATURE_SIZE);
  });
  return upperHex(out);
}

/**
 * Reads a manifest and checks the proof of every key. Fails with SOURCE_REFUSED (400) and says why: form, a TCB twice,
 * a key that is no point of P-256, a proof that does not verify.
 */
export function decodePlatformManifest(text: string): PlatformManifest {
  if (text.length > MAX_MANIFEST_DIGITS) throw refused(`is longer than ${MAX_MANIFEST_DIGITS} hexadecimal digits`);
  if (text.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(text)) throw refused("is not hexadecimal");
  const bytes = fromHex(text);
  if (bytes.length < HEADER_SIZE || !bytesEqual(bytes.subarray(0, MAGIC.length), MAGIC)) {
    throw refused('does not begin with "confcom platform": only software platforms can register here');
  }
  const version = readU16(bytes, 24);
  if (version !== VERSION) throw refused(`is of version ${version}; known is ${VERSION}`);
  const count = readU16(bytes, 26);
  if (count < 1 || count > MAX_MANIFEST_KEYS) throw refused(`has ${count} keys, not 1 to ${MAX_MANIFEST_KEYS}`);
  const signedSize = HEADER_SIZE + count * KEY_SIZE;
  const size = signedSize + count * SIGNATURE_SIZE;
  if (bytes.length !== size) throw refused(`has ${bytes.length} bytes; with ${count} keys it has ${size}`);
  const signed = bytes.subarray(0, signedSize);
  const tcbs = new Set<string>();
  const keys = Array.from({ length: count }, (_, i): PckTcbKey => {
    const at = HEADER_SIZE + i * KEY_SIZE;
    const signature = bytes.subarray(signedSize + i * SIGNATURE_SIZE, signedSize + (i + 1) * SIGNATURE_SIZE);
    const pckPublicKey = bytes.slice(at + 18, at + KEY_SIZE);
    const tcb = toHex(bytes.subarray(at, at + 18));
    if (tcbs.has(tcb)) throw refused("names one TCB twice");
    tcbs.add(tcb);
    if (!isProof(pckPublicKey, signed, signature)) throw refused(`does not prove possession of its key ${i + 1}`);
    return { cpuSvn: bytes.slice(at, at + 16), pceSvn: readU16(bytes, at + 16), pckPublicKey };
  });
  return { ppid: bytes.slice(28, HEADER_SIZE), keys };
}

function isProof(publicKey: Uint8Array, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(p256Spki(publicKey)), format: "der", type: "spki" });
    return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch (cause) {
    throw refused("has a key that is no point of P-256", cause);
  }
}

function refused(why: string, cause?: unknown): CollateralError {
  return new CollateralError("SOURCE_REFUSED", `the platform manifest ${why}`, { status: 400, cause });
}
