import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { fromHex, toHex } from "@confcom/sgx";
import { P256_ORDER, p256KeyPair, p256PublicPoint, signP256, signP256Into, verifyP256 } from "./p256.ts";

/** RFC 6979 A.2.5: the P-256 key pair of the ECDSA examples. */
const SCALAR = fromHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
const POINT =
  "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

test("the public point of RFC 6979's example key", () => {
  assert.equal(toHex(p256PublicPoint(SCALAR)), POINT);
  assert.equal(toHex(p256KeyPair(SCALAR).publicPoint), POINT);
});

test("scalars outside 1..n-1 and of another size are refused", () => {
  const order = fromHex(P256_ORDER.toString(16));
  for (const scalar of [new Uint8Array(32), order, new Uint8Array(32).fill(0xff), new Uint8Array(33).fill(1)]) {
    assert.throws(() => p256KeyPair(scalar), { code: "KEY_INVALID" });
  }
  const largest = fromHex((P256_ORDER - 1n).toString(16));
  assert.equal(p256KeyPair(largest).publicPoint.length, 64);
});

test("r || s signatures verify under another import of the key, for every length the DER integers take", () => {
  const pair = p256KeyPair(SCALAR);
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: Buffer.from(POINT.slice(0, 64), "hex").toString("base64url"),
    y: Buffer.from(POINT.slice(64), "hex").toString("base64url"),
  };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  let leadingZeros = 0;
  for (let i = 0; i < 200 || (leadingZeros < 2 && i < 10_000); i++) {
    const message = new Uint8Array(432).fill(i).fill(i >> 8, 0, 200);
    const signature = signP256(pair.privateKey, message);
    if (signature[0] === 0 || signature[32] === 0) leadingZeros++;
    assert.ok(verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature), `message ${i}`);
  }
  // A leading zero byte comes once in 128 signatures: fewer than two in 10,000 would mean they are not padded but lost.
  assert.ok(leadingZeros >= 2);
});

test("a signature is written at its offset and touches nothing else", () => {
  const { privateKey, publicKey } = p256KeyPair(SCALAR);
  const message = new Uint8Array([1, 2, 3]);
  const out = new Uint8Array(80).fill(0xaa);
  signP256Into(privateKey, message, out, 8);
  assert.ok(verifyP256(publicKey, message, out.subarray(8, 72)));
  assert.deepEqual(out.subarray(0, 8), new Uint8Array(8).fill(0xaa));
  assert.deepEqual(out.subarray(72), new Uint8Array(8).fill(0xaa));
});

test("verification refuses a changed message, a changed signature and another size", () => {
  const { privateKey, publicKey } = p256KeyPair(SCALAR);
  const message = new Uint8Array(100);
  const signature = signP256(privateKey, message);
  assert.ok(verifyP256(publicKey, message, signature));
  assert.equal(verifyP256(publicKey, new Uint8Array(101), signature), false);
  assert.equal(
    verifyP256(
      publicKey,
      message,
      signature.map((byte, i) => (i === 63 ? byte ^ 1 : byte)),
    ),
    false,
  );
  assert.equal(verifyP256(publicKey, message, signature.subarray(0, 63)), false);
});
