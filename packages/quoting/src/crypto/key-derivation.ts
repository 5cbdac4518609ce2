import { PlatformError } from "../errors.ts";
import { Cmac } from "./cmac.ts";
import { P256_ORDER } from "./p256.ts";

/**
 * The 16-byte input of one derivation step, the shape of NIST SP 800-108's counter mode: counter, label, zeros, and the
 * output's length in bits, big-endian (spec: DCAP §5, §6).
 */
function derivationString(counter: number, label: string, bits: number): Uint8Array {
  const out = new Uint8Array(16);
  out[0] = counter;
  for (let i = 0; i < label.length; i++) out[1 + i] = label.charCodeAt(i);
  out[14] = bits >> 8;
  out[15] = bits & 0xff;
  return out;
}

/** Attestation key (QE), PCK key (PCE). */
export type ScalarLabel = "QE_ATT_DER" | "PAK_KEY_DER";

/**
 * A P-256 private scalar out of a 16-byte key: 320 bits of CMAC output, reduced to 1..n-1. The 64 bits beyond the
 * order's size make the bias of the reduction negligible. Returns 32 bytes, big-endian.
 */
export function deriveP256Scalar(key: Uint8Array, label: ScalarLabel): Uint8Array {
  const mac = new Cmac(key);
  let hex = "";
  for (const counter of [1, 2, 3]) hex += Buffer.from(mac.tag(derivationString(counter, label, 320))).toString("hex");
  const seed = BigInt(`0x${hex.slice(0, 80)}`);
  const scalar = (seed % (P256_ORDER - 1n)) + 1n;
  return Uint8Array.from(Buffer.from(scalar.toString(16).padStart(64, "0"), "hex"));
}

/** QE_ID out of the ID enclave's 16-byte seal key: 16 bytes (spec: DCAP §5). */
export function deriveQeId(key: Uint8Array): Uint8Array {
  if (key.length !== 16) throw new PlatformError("KEY_INVALID", `a seal key is 16 bytes, got ${key.length}`);
  return Uint8Array.from(new Cmac(key).tag(derivationString(0, "QE_ID_DER", 128)));
}
