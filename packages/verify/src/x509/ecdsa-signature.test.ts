import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { derElement, derInteger, derSequence } from "@confcom/sgx/der";
import fc from "fast-check";
import { decodeAny, decodeEcdsaSignature } from "./ecdsa-signature.ts";

const number = fc
  .bigInt({ min: 0n, max: 2n ** 264n })
  .chain((value) => fc.constantFrom(value, value >> 8n, value >> 250n));
const signature = fc.tuple(number, number).map(([r, s]) => derSequence(derInteger(r), derInteger(s)));

describe("ECDSA signatures in DER", () => {
  it("of 256-bit numbers are r and s, 32 bytes each", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        (r, s) => {
          const raw = decodeEcdsaSignature(derSequence(derInteger(r), derInteger(s)));
          assert.ok(raw instanceof Uint8Array);
          assert.equal(Buffer.from(raw).toString("hex"), [r, s].map((n) => n.toString(16).padStart(64, "0")).join(""));
        },
      ),
    );
  });

  it("of larger numbers, or with bytes behind them, parse and never verify", () => {
    const large = derInteger(2n ** 256n);
    const one = derInteger(1);
    assert.equal(decodeEcdsaSignature(derSequence(large, one)), "unverifiable");
    assert.equal(decodeEcdsaSignature(derSequence(one, large)), "unverifiable");
    assert.equal(decodeEcdsaSignature(Buffer.concat([derSequence(one, one), Uint8Array.of(0)])), "unverifiable");
  });

  it("with negative numbers, other structures or longer encodings are none", () => {
    const one = derInteger(1);
    for (const parts of [
      [derInteger(-1), one],
      [one, derInteger(-1)],
      [one],
      [one, one, one],
      [derElement(2, Uint8Array.of(0, 1)), one],
      [derElement(2), one],
      [derElement(4, Uint8Array.of(1)), one],
    ]) {
      assert.equal(decodeEcdsaSignature(derSequence(...parts)), undefined);
    }
    assert.equal(decodeEcdsaSignature(new Uint8Array(0)), undefined);
    assert.equal(decodeEcdsaSignature(Uint8Array.of(0x30, 0x81, 6, 2, 1, 1, 2, 1, 1)), undefined);
  });

  it("changed in any byte are decided as the strict reader decides them, wherever they stand", () => {
    fc.assert(
      fc.property(signature, fc.nat(), fc.nat(255), fc.nat(80), fc.nat(3), (der, place, value, size, before) => {
        const changed = Uint8Array.from(der);
        changed[place % 8 === 0 ? place % der.length : place % 6] = value;
        const cut = size < 60 ? changed : changed.subarray(0, size % (der.length + 1));
        const within = Buffer.concat([new Uint8Array(before).fill(0x30), cut, Uint8Array.of(0x30, 2)]);
        assert.deepEqual(decodeEcdsaSignature(within, before, before + cut.length), decodeAny(cut));
        assert.deepEqual(decodeEcdsaSignature(der), decodeAny(der));
      }),
      { numRuns: 5000 },
    );
  });
});
