import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "@confcom/sgx";
import { cmac } from "./cmac-once.ts";
import { deriveP256Scalar, deriveQeId } from "./key-derivation.ts";
import { P256_ORDER, p256KeyPair } from "./p256.ts";

const KEY = fromHex("000102030405060708090a0b0c0d0e0f");

/** The spec's formula, with its byte strings spelled out. */
function scalarFrom(strings: readonly string[]): string {
  const output = strings.map((text) => toHex(cmac(KEY, fromHex(text)))).join("");
  const seed = BigInt(`0x${output.slice(0, 80)}`);
  return ((seed % (P256_ORDER - 1n)) + 1n).toString(16).padStart(64, "0");
}

test("the attestation key comes from counter, QE_ATT_DER, three zero bytes and 0x0140", () => {
  const expected = scalarFrom([
    "0151455f4154545f4445520000000140",
    "0251455f4154545f4445520000000140",
    "0351455f4154545f4445520000000140",
  ]);
  assert.equal(toHex(deriveP256Scalar(KEY, "QE_ATT_DER")), expected);
});

test("the PCK key comes from counter, PAK_KEY_DER, two zero bytes and 0x0140", () => {
  const expected = scalarFrom([
    "0150414b5f4b45595f44455200000140",
    "0250414b5f4b45595f44455200000140",
    "0350414b5f4b45595f44455200000140",
  ]);
  assert.equal(toHex(deriveP256Scalar(KEY, "PAK_KEY_DER")), expected);
});

test("QE_ID is one CMAC over counter 0, QE_ID_DER, four zero bytes and 0x0080", () => {
  assert.equal(toHex(deriveQeId(KEY)), toHex(cmac(KEY, fromHex("0051455f49445f444552000000000080"))));
});

test("every derived scalar is a valid private key", () => {
  for (let i = 0; i < 50; i++) {
    const scalar = deriveP256Scalar(new Uint8Array(16).fill(i), "QE_ATT_DER");
    assert.equal(p256KeyPair(scalar).publicPoint.length, 64);
  }
});
