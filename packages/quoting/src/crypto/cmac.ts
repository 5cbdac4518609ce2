import { type Cipheriv, createCipheriv } from "node:crypto";
import { PlatformError } from "../errors.ts";

const BLOCK = 16;
const ZERO_IV = new Uint8Array(BLOCK);

/** Doubling in GF(2^128), which turns AES(K, 0) into K1 and K1 into K2 (RFC 4493 §2.3). */
function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  let carry = 0;
  for (let i = BLOCK - 1; i >= 0; i--) {
    const byte = block[i] as number;
    out[i] = ((byte << 1) | carry) & 0xff;
    carry = byte >> 7;
  }
  out[BLOCK - 1] = (out[BLOCK - 1] as number) ^ (carry * 0x87);
  return out;
}

/**
 * AES-128-CMAC (RFC 4493) with one AES-128-CBC object for the key's whole life, because making a cipher object costs
 * more than a report's MAC.
 *
 * After a message the object's chaining value is that message's last ciphertext block. XORing it into the next
 * message's first block makes the effective IV zero again. A failure would leave the chaining value unknown, so an
 * instance that has thrown, or was released, refuses to be used again (CMAC_DISCARDED).
 */
export class Cmac {
  readonly #cipher: Cipheriv;
  readonly #k1: Uint8Array;
  readonly #k2: Uint8Array;
  readonly #chaining = new Uint8Array(BLOCK);
  #scratch = new Uint8Array(512);
  #discarded = false;

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== BLOCK) throw new PlatformError("KEY_INVALID", `AES-128-CMAC takes 16 bytes, got ${key.length}`);
    this.#cipher = createCipheriv("aes-128-cbc", key, ZERO_IV).setAutoPadding(false);
    const l = this.#cipher.update(ZERO_IV);
    this.#chaining.set(l);
    this.#k1 = doubled(l);
    this.#k2 = doubled(this.#k1);
  }

  /** The 16-byte tag of a message of any length. */
  tag(message: Uint8Array): Uint8Array {
    if (this.#discarded) throw new PlatformError("CMAC_DISCARDED", "this instance failed before or was released");
    const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
    const size = blocks * BLOCK;
    if (this.#scratch.length < size) this.#scratch = new Uint8Array(size);
    const padded = this.#scratch;
    padded.set(message);
    const complete = message.length === size;
    if (!complete) {
      padded.fill(0, message.length, size);
      padded[message.length] = 0x80;
    }
    const subkey = complete ? this.#k1 : this.#k2;
    const last = size - BLOCK;
    for (let i = 0; i < BLOCK; i++) {
      padded[i] = (padded[i] as number) ^ (this.#chaining[i] as number);
      padded[last + i] = (padded[last + i] as number) ^ (subkey[i] as number);
    }
    this.#discarded = true;
    const ciphertext = this.#cipher.update(padded.subarray(0, size));
    const tag = ciphertext.subarray(last);
    this.#chaining.set(tag);
    this.#discarded = false;
    return tag;
  }

  /** Frees the cipher's memory now instead of at some later garbage collection; the instance is of no use afterwards. */
  release(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    this.#cipher.final();
  }
}
