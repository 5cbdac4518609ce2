import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromHex } from "@confcom/sgx";
import fc from "fast-check";
import { CborError, CborReader } from "./cbor.ts";
import { cbor } from "./testing/cbor-writer.ts";

function refused(hex: string, message: RegExp, read: (reader: CborReader) => unknown): void {
  assert.throws(
    () => {
      const reader = new CborReader(fromHex(hex));
      read(reader);
      reader.finish();
    },
    (error) => {
      assert.ok(error instanceof CborError, String(error));
      assert.match(error.message, message, hex);
      return true;
    },
  );
}

describe("hostile CBOR", () => {
  it("is cut in a number, a string, or before it starts", () => {
    for (const hex of ["18", "19ff", "1affffff", "1bffffffffffffff"]) refused(hex, /cut/, (reader) => reader.uint());
    for (const hex of ["41", "5818", "590100", "5affffffff", "5b0000000100000000"]) {
      refused(hex, /cut/, (reader) => reader.bytes());
    }
    refused("", /major type 0 expected/, (reader) => reader.uint());
  });

  it("has indefinite lengths or reserved ones", () => {
    refused("5f4101ff", /indefinite/, (reader) => reader.bytes());
    refused("7f6161ff", /indefinite/, (reader) => reader.text());
    refused("9fff", /indefinite/, (reader) => reader.array());
    refused("bfff", /indefinite/, (reader) => reader.map());
    for (const hex of ["1c", "1d", "1e"]) refused(hex, /reserved/, (reader) => reader.uint());
  });

  it("has numbers longer than needed, or larger than a number can be", () => {
    for (const hex of ["1817", "1900ff", "1a0000ffff", "1b00000000ffffffff"]) {
      refused(hex, /longer than needed/, (reader) => reader.uint());
    }
    refused("1bffffffffffffffff", /too large/, (reader) => reader.uint());
    refused("1b0020000000000000", /too large/, (reader) => reader.uint());
    refused("5b7fffffffffffffff", /too large/, (reader) => reader.bytes());
  });

  it("is of another type, or followed by something", () => {
    refused("20", /major type 0 expected at byte 0, found 1/, (reader) => reader.uint());
    refused("f6", /found 7/, (reader) => reader.bytes());
    refused("6161", /expected/, (reader) => reader.bytes());
    refused("0000", /1 bytes after/, (reader) => reader.uint());
  });

  it("has text that is not UTF-8", () => refused("61ff", /UTF-8/, (reader) => reader.text()));
});

it("CBOR numbers and strings of every size come back", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array({ maxLength: 70_000 }), fc.string(), (number, bytes, text) => {
      const reader = new CborReader(
        cbor.tag(number, cbor.array(cbor.uint(number), cbor.map([cbor.text(text), cbor.bytes(bytes)]))),
      );
      assert.deepEqual([reader.tag(), reader.array(), reader.uint(), reader.map()], [number, 2, number, 1]);
      assert.equal(reader.text(), new TextDecoder().decode(new TextEncoder().encode(text)));
      assert.deepEqual(reader.bytes(), bytes);
      reader.finish();
    }),
    { numRuns: 200 },
  );
});
