import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBinaryText } from "./binary-text.ts";

const text = (value: string) => new TextEncoder().encode(value);

test("hexadecimal is recognised, with 0x, in either case, with white space", () => {
  for (const value of ["0300AbCd", "0x0300abcd", "03 00\nab cd\n"]) {
    const decoded = decodeBinaryText(text(value));
    assert.equal(decoded.encoding, "hex");
    assert.deepEqual([...decoded.bytes], [3, 0, 0xab, 0xcd]);
  }
});

test("base64 of both alphabets is recognised, with line breaks", () => {
  for (const value of ["AwD/+g==", "AwD_-g==", "AwD/\n+g==\n"]) {
    const decoded = decodeBinaryText(text(value));
    assert.equal(decoded.encoding, "base64");
    assert.deepEqual([...decoded.bytes], [3, 0, 255, 250]);
  }
});

test("bytes that are no text stay as they are", () => {
  const bytes = Uint8Array.of(3, 0, 2, 0, 0x41);
  assert.deepEqual(decodeBinaryText(bytes), { bytes, encoding: "binary" });
});

test("hexadecimal of anything comes back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      assert.deepEqual(decodeBinaryText(text(Buffer.from(bytes).toString("hex"))).bytes, bytes);
    }),
  );
});
