import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import { fromHex, toHex } from "@confcom/sgx";
import fc from "fast-check";
import { encryptBlock, expandKey, ROUND_KEY_WORDS, readWord } from "./aes.ts";

function encrypt(key: Uint8Array, block: Uint8Array): string {
  const keys = new Int32Array(ROUND_KEY_WORDS);
  expandKey(key, keys);
  const words = Int32Array.from([0, 4, 8, 12], (offset) => readWord(block, offset));
  encryptBlock(keys, words);
  return Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

test("FIPS 197 appendix C.1", () => {
  const key = fromHex("000102030405060708090a0b0c0d0e0f");
  const block = fromHex("00112233445566778899aabbccddeeff");
  assert.equal(encrypt(key, block), "69c4e0d86a7b0430d8cdb78070b4c55a");
});

test("FIPS 197 appendix A.1: the last round key", () => {
  const keys = new Int32Array(ROUND_KEY_WORDS);
  expandKey(fromHex("2b7e151628aed2a6abf7158809cf4f3c"), keys);
  const last = Array.from(keys.subarray(40), (word) => (word >>> 0).toString(16).padStart(8, "0"));
  assert.deepEqual(last, ["d014f9a8", "c9ee2589", "e13f0cc8", "b6630ca6"]);
});

test("any key and block give what the crypto library gives", () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(bytes, bytes, (key, block) => {
      const library = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(block);
      assert.equal(encrypt(key, block), toHex(library));
    }),
  );
});
