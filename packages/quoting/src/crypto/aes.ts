/**
 * AES-128 encryption of single blocks (FIPS 197), for keys that are used for one message. The crypto library's cipher
 * objects cost as much to make as such a message takes here, and each lives until a full garbage collection: with a
 * fresh KEYID per report they come to tens of megabytes.
 *
 * Table lookups depend on the key, so someone who shares the processor's caches could learn about it by timing. Keys
 * that last are used through the crypto library instead; and no key of a software platform is safe from its machine.
 */

/** The S-box: inverse in GF(2^8) and an affine map, by walking the field's generator 3 and its inverse together. */
const SBOX = new Uint8Array(256);
for (let p = 1, q = 1; ; ) {
  p = (p ^ (p << 1) ^ (p & 0x80 ? 0x11b : 0)) & 0xff;
  q ^= q << 1;
  q ^= q << 2;
  q ^= q << 4;
  q &= 0xff;
  if (q & 0x80) q ^= 0x09;
  SBOX[p] = (q ^ rotated(q, 1) ^ rotated(q, 2) ^ rotated(q, 3) ^ rotated(q, 4) ^ 0x63) & 0xff;
  if (p === 1) break;
}
SBOX[0] = 0x63;

function rotated(byte: number, bits: number): number {
  return (byte << bits) | (byte >> (8 - bits));
}

/** SubBytes and MixColumns of one byte in each of the four rows: one column of the product each. */
const T0 = new Int32Array(256);
const T1 = new Int32Array(256);
const T2 = new Int32Array(256);
const T3 = new Int32Array(256);
for (let x = 0; x < 256; x++) {
  const s = SBOX[x] as number;
  const doubled = ((s << 1) ^ (s & 0x80 ? 0x11b : 0)) & 0xff;
  const column = (doubled << 24) | (s << 16) | (s << 8) | (doubled ^ s);
  T0[x] = column;
  T1[x] = (column >>> 8) | (column << 24);
  T2[x] = (column >>> 16) | (column << 16);
  T3[x] = (column >>> 24) | (column << 8);
}

/** Round keys of AES-128, as words. */
export const ROUND_KEY_WORDS = 44;

/** Expands a 16-byte key into `words` (FIPS 197 §5.2). */
export function expandKey(key: Uint8Array, words: Int32Array): void {
  for (let i = 0; i < 4; i++) words[i] = readWord(key, 4 * i);
  let roundConstant = 1;
  for (let i = 4; i < ROUND_KEY_WORDS; i++) {
    let word = words[i - 1] as number;
    if (i % 4 === 0) {
      word = substituted((word << 8) | (word >>> 24)) ^ (roundConstant << 24);
      roundConstant = ((roundConstant << 1) ^ (roundConstant & 0x80 ? 0x11b : 0)) & 0xff;
    }
    words[i] = (words[i - 4] as number) ^ word;
  }
}

function substituted(word: number): number {
  return (
    ((SBOX[word >>> 24] as number) << 24) |
    ((SBOX[(word >>> 16) & 0xff] as number) << 16) |
    ((SBOX[(word >>> 8) & 0xff] as number) << 8) |
    (SBOX[word & 0xff] as number)
  );
}

export function readWord(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) << 24) |
    ((bytes[offset + 1] as number) << 16) |
    ((bytes[offset + 2] as number) << 8) |
    (bytes[offset + 3] as number)
  );
}

/** Encrypts the four words of `block` in place under expanded `keys`. */
export function encryptBlock(keys: Int32Array, block: Int32Array): void {
  let a = (block[0] as number) ^ (keys[0] as number);
  let b = (block[1] as number) ^ (keys[1] as number);
  let c = (block[2] as number) ^ (keys[2] as number);
  let d = (block[3] as number) ^ (keys[3] as number);
  for (let k = 4; k < 40; k += 4) {
    const e = mixed(a, b, c, d) ^ (keys[k] as number);
    const f = mixed(b, c, d, a) ^ (keys[k + 1] as number);
    const g = mixed(c, d, a, b) ^ (keys[k + 2] as number);
    d = mixed(d, a, b, c) ^ (keys[k + 3] as number);
    a = e;
    b = f;
    c = g;
  }
  block[0] = shifted(a, b, c, d) ^ (keys[40] as number);
  block[1] = shifted(b, c, d, a) ^ (keys[41] as number);
  block[2] = shifted(c, d, a, b) ^ (keys[42] as number);
  block[3] = shifted(d, a, b, c) ^ (keys[43] as number);
}

/** SubBytes, ShiftRows and MixColumns for the column that takes its rows from four columns. */
function mixed(row0: number, row1: number, row2: number, row3: number): number {
  return (
    (T0[row0 >>> 24] as number) ^
    (T1[(row1 >>> 16) & 0xff] as number) ^
    (T2[(row2 >>> 8) & 0xff] as number) ^
    (T3[row3 & 0xff] as number)
  );
}

/** The last round has no MixColumns. */
function shifted(row0: number, row1: number, row2: number, row3: number): number {
  return (
    ((SBOX[row0 >>> 24] as number) << 24) |
    ((SBOX[(row1 >>> 16) & 0xff] as number) << 16) |
    ((SBOX[(row2 >>> 8) & 0xff] as number) << 8) |
    (SBOX[row3 & 0xff] as number)
  );
}
