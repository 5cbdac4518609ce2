import { PlatformError } from "../errors.ts";
import { encryptBlock, expandKey, ROUND_KEY_WORDS, readWord } from "./aes.ts";

const BLOCK = 16;

// Reused, because a report with a fresh KEYID comes here twice and should leave no garbage but its tag.
const keys = new Int32Array(ROUND_KEY_WORDS);
const state = new Int32Array(4);
const subkey = new Int32Array(4);
const padded = new Uint8Array(BLOCK);

/** Doubling in GF(2^128) (RFC 4493 §2.3). */
function double(words: Int32Array): void {
  const [a, b, c, d] = words as unknown as [number, number, number, number];
  words[0] = (a << 1) | (b >>> 31);
  words[1] = (b << 1) | (c >>> 31);
  words[2] = (c << 1) | (d >>> 31);
  words[3] = (d << 1) ^ (a >>> 31 ? 0x87 : 0);
}

function absorb(bytes: Uint8Array, offset: number): void {
  for (let i = 0; i < 4; i++) state[i] = (state[i] as number) ^ readWord(bytes, offset + 4 * i);
}

/**
 * AES-128-CMAC (RFC 4493) under a 16-byte key that is used for this one message: 16 bytes. For a key that is used again
 * and again there is {@link Cmac}.
 */
export function cmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  if (key.length !== BLOCK) throw new PlatformError("KEY_INVALID", `AES-128-CMAC takes 16 bytes, got ${key.length}`);
  expandKey(key, keys);
  subkey.fill(0);
  encryptBlock(keys, subkey);
  double(subkey);
  state.fill(0);
  const last = Math.max(0, Math.ceil(message.length / BLOCK) - 1) * BLOCK;
  for (let at = 0; at < last; at += BLOCK) {
    absorb(message, at);
    encryptBlock(keys, state);
  }
  if (message.length - last === BLOCK) {
    absorb(message, last);
  } else {
    double(subkey);
    padded.fill(0);
    padded.set(message.subarray(last));
    padded[message.length - last] = 0x80;
    absorb(padded, 0);
  }
  for (let i = 0; i < 4; i++) state[i] = (state[i] as number) ^ (subkey[i] as number);
  encryptBlock(keys, state);
  const tag = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) tag[i] = (state[i >> 2] as number) >>> (24 - 8 * (i & 3));
  return tag;
}
