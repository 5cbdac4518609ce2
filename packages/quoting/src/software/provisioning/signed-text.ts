import type { KeyObject } from "node:crypto";
import { toHex } from "@confcom/sgx";
import { signP256 } from "../../crypto/p256.ts";

/** A JSON text with the signature over its exact bytes. */
export interface SignedText {
  readonly text: string;
  /** r || s as 128 hexadecimal digits. */
  readonly signature: string;
}

/** ECDSA over the exact UTF-8 bytes: r || s as hex (spec: DCAP §9). */
export function signText(key: KeyObject, text: string): string {
  return toHex(signP256(key, new TextEncoder().encode(text)));
}
