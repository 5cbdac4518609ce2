import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import { fromHex, toHex } from "@confcom/sgx";
import fc from "fast-check";
import { Cmac } from "./cmac.ts";
import { cmac } from "./cmac-once.ts";

/** RFC 4493 §4. */
const KEY = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
const MESSAGE = fromHex(
  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
);
const VECTORS: readonly [size: number, tag: string][] = [
  [0, "bb1d6929e95937287fa37d129b756746"],
  [16, "070a16b46b4d4144f79bdd9dd04a287c"],
  [40, "dfa66747de9ae63030ca32611497c827"],
  [64, "51f0bebf7e3b9d92fc49741779363cfe"],
];

/** CMAC written out from the RFC with a fresh ECB block cipher per block: slow, shares nothing with the code tested. */
function referenceCmac(key: Uint8Array, message: Uint8Array): string {
  const aes = (block: Uint8Array) => createCipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(block);
  const shift = (block: Uint8Array) => {
    const value = BigInt(`0x${toHex(block)}`);
    const out = ((value << 1n) & ((1n << 128n) - 1n)) ^ (value >> 127n === 1n ? 0x87n : 0n);
    return fromHex(out.toString(16).padStart(32, "0"));
  };
  const k1 = shift(aes(new Uint8Array(16)));
  const whole = message.length > 0 && message.length % 16 === 0;
  const padded = whole ? Buffer.from(message) : Buffer.concat([message, Buffer.from([0x80])]);
  const blocks = Buffer.concat([padded, Buffer.alloc((16 - (padded.length % 16)) % 16)]);
  const subkey = whole ? k1 : shift(k1);
  let state: Uint8Array = new Uint8Array(16);
  for (let at = 0; at < blocks.length; at += 16) {
    const last = at + 16 === blocks.length;
    state = aes(state.map((byte, i) => byte ^ (blocks[at + i] as number) ^ (last ? (subkey[i] as number) : 0)));
  }
  return toHex(state);
}

test("the four RFC 4493 examples", () => {
  for (const [size, tag] of VECTORS) assert.equal(toHex(cmac(KEY, MESSAGE.subarray(0, size))), tag);
});

test("one instance gives the RFC tags in any order of lengths, again and again", () => {
  const mac = new Cmac(KEY);
  for (const i of [3, 0, 2, 1, 1, 3, 2, 0, 0, 3]) {
    const [size, tag] = VECTORS[i] as [number, string];
    assert.equal(toHex(mac.tag(MESSAGE.subarray(0, size))), tag);
  }
});

test("messages of any length equal the RFC algorithm, one instance for a sequence or one call for each", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.uint8Array({ maxLength: 1100 }), { minLength: 1, maxLength: 6 }),
      (key, messages) => {
        const mac = new Cmac(key);
        for (const message of messages) {
          assert.equal(toHex(mac.tag(message)), referenceCmac(key, message));
          assert.equal(toHex(cmac(key, message)), referenceCmac(key, message));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("the message is left as it was", () => {
  const message = MESSAGE.slice();
  cmac(KEY, message);
  new Cmac(KEY).tag(message);
  assert.deepEqual(message, MESSAGE);
});

test("a key of another size is refused", () => {
  for (const size of [0, 15, 17, 32]) {
    assert.throws(() => new Cmac(new Uint8Array(size)), { code: "KEY_INVALID" });
    assert.throws(() => cmac(new Uint8Array(size), MESSAGE), { code: "KEY_INVALID" });
  }
});

test("a released instance refuses to be used", () => {
  const mac = new Cmac(KEY);
  mac.tag(MESSAGE);
  mac.release();
  mac.release();
  assert.throws(() => mac.tag(MESSAGE), { code: "CMAC_DISCARDED" });
});
