import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "../hex.ts";
import {
  DER_TAG,
  DerError,
  type DerErrorCode,
  DerReader,
  derBoolean,
  derElement,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  epochSeconds,
  oidFromText,
  oidToText,
} from "./index.ts";

function refused(code: DerErrorCode, hex: string, read: (reader: DerReader) => unknown): void {
  assert.throws(
    () => {
      const reader = new DerReader(fromHex(hex));
      read(reader);
      reader.finish();
    },
    (error) => error instanceof DerError && error.code === code,
    `${hex} must be ${code}`,
  );
}

function time(text: string, tag: number = DER_TAG.UTC_TIME): number {
  return new DerReader(derElement(tag, new TextEncoder().encode(text))).time();
}

describe("hostile DER: lengths", () => {
  it("ends inside a header or a content", () => {
    for (const hex of ["", "04", "0401", "040200", "0481", "048180", "04820100", "30030401"]) {
      refused("DER_TRUNCATED", hex, (reader) => reader.skip());
    }
  });

  it("is of indefinite form", () => refused("DER_LENGTH", "30800000", (reader) => reader.open(DER_TAG.SEQUENCE)));

  it("is longer than needed", () => {
    for (const hex of [
      "04810100",
      "04817f",
      "0482007f00",
      `048200ff${"00".repeat(255)}`,
      "04830000ff",
      "04840000000100",
    ]) {
      refused("DER_LENGTH", hex, (reader) => reader.octetString());
    }
  });

  it("has more bytes than any input", () => {
    refused("DER_LENGTH", "0485010000000000", (reader) => reader.octetString());
    refused("DER_LENGTH", "04ff", (reader) => reader.octetString());
    refused("DER_TRUNCATED", "0484ffffffff", (reader) => reader.octetString());
  });

  it("of an inner element leaves its container", () => {
    refused("DER_TRUNCATED", "300404030102030405", (reader) => {
      reader.open(DER_TAG.SEQUENCE);
      reader.octetString();
      reader.octetString();
    });
    refused("DER_TRUNCATED", "30030404000000000000", (reader) => reader.skip());
  });
});

describe("hostile DER: structure", () => {
  it("has bytes after the value or inside a container", () => {
    refused("DER_TRAILING", "040000", (reader) => reader.octetString());
    refused("DER_TRAILING", "300404000400", (reader) => {
      reader.open(DER_TAG.SEQUENCE);
      reader.octetString();
      reader.close();
    });
    refused("DER_TRAILING", "3000", (reader) => reader.open(DER_TAG.SEQUENCE));
  });

  it("has another tag than asked for, or a tag of several bytes", () => {
    refused("DER_TAG", "0500", (reader) => reader.octetString());
    refused("DER_TAG", "2400", (reader) => reader.octetString());
    refused("DER_TAG", "1f8100", (reader) => reader.skip());
  });

  it("nests deeper than the budget, entered or skipped", () => {
    const deep = "30".padEnd(2, "0");
    let hex = "";
    for (let i = 0; i < 40; i++) hex = `${deep}${(hex.length / 2).toString(16).padStart(2, "0")}${hex}`;
    refused("DER_DEPTH", hex, (reader) => reader.skip());
    refused("DER_DEPTH", hex, (reader) => {
      for (let i = 0; i < 40; i++) reader.open(DER_TAG.SEQUENCE);
    });
  });

  it("has more elements than the budget", () => {
    const many = derSequence(...Array.from({ length: 100 }, () => derOctetString(new Uint8Array(0))));
    const read = (elements: number) => new DerReader(many, { depth: 4, elements }).skip();
    assert.equal(read(101), DER_TAG.SEQUENCE);
    assert.throws(
      () => read(100),
      (error) => error instanceof DerError && error.code === "DER_BUDGET",
    );
  });
});

describe("hostile DER: values", () => {
  it("BOOLEAN other than 00 and FF", () => {
    for (const hex of ["010101", "0100", "01020000", "0101fe"])
      refused("DER_BOOLEAN", hex, (reader) => reader.boolean());
  });

  it("INTEGER without content, padded, or too large", () => {
    for (const hex of ["0200", "02020001", "0202ff80", "02020000", "0202ffff"]) {
      refused("DER_INTEGER", hex, (reader) => reader.integer());
    }
    refused("DER_INTEGER", "020701000000000000", (reader) => reader.smallInteger());
  });

  it("NULL with content", () => refused("DER_NULL", "050100", (reader) => reader.null()));

  it("BIT STRING with unused bits or without its first byte", () => {
    for (const hex of ["030107", "03020780", "0300"]) refused("DER_BIT_STRING", hex, (reader) => reader.bitString());
  });

  it("OBJECT IDENTIFIER empty, cut in an arc, or with a padded arc", () => {
    for (const hex of ["0600", "060180", "06022a86", "06032a8001", "060280 01".replace(" ", "")]) {
      refused("DER_OID", hex, (reader) => reader.oid());
    }
  });

  it("times that no calendar has, and forms that DER has not", () => {
    for (const text of [
      "230229000000Z",
      "231301000000Z",
      "230001000000Z",
      "230132000000Z",
      "230100000000Z",
      "230101240000Z",
      "230101006000Z",
      "230101000060Z",
      "2301010000Z",
      "230101000000",
      "230101000000+0000",
      "2301010000 0Z",
      "23010100000aZ",
    ]) {
      assert.throws(() => time(text), DerError, text);
    }
    for (const text of ["20230229000000Z", "20230101000000.5Z", "202301010000Z", "20230101000000+0100"]) {
      assert.throws(() => time(text, DER_TAG.GENERALIZED_TIME), DerError, text);
    }
  });

  it("random bytes end in DerError and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const reader = new DerReader(bytes);
          while (!reader.done) reader.skip();
          reader.finish();
        } catch (error) {
          assert.ok(error instanceof DerError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("DER reader and writer", () => {
  it("read what they write", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 80n), max: 1n << 80n }), (value) => {
        const bytes = new DerReader(derInteger(value)).integer();
        assert.equal(BigInt.asIntN(bytes.length * 8, BigInt(`0x${toHex(bytes)}`)), value);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (value) => {
        assert.equal(new DerReader(derInteger(value)).smallInteger(), value);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), (bytes) => {
        assert.deepEqual(new DerReader(derOctetString(bytes)).octetString(), bytes);
      }),
      { numRuns: 20 },
    );
    assert.equal(new DerReader(derBoolean(true)).boolean(), true);
  });

  it("spell object identifiers with arcs of any size", () => {
    for (const text of [
      "1.2.840.113741.1.13.1.2.17",
      "2.25.329800735698586629295641978511506172918",
      "2.999.3",
      "0.39",
    ]) {
      assert.equal(oidToText(oidFromText(text)), text);
      assert.deepEqual(new DerReader(derOid(text)).oid(), oidFromText(text));
    }
    assert.equal(toHex(oidFromText("2.999.3")), "883703");
    for (const text of ["3.1", "1.40", "1", "1.02", "1..2", "", "1.2.a"])
      assert.throws(() => oidFromText(text), DerError);
  });

  it("know the calendar as JavaScript does", () => {
    assert.equal(time("491231235959Z"), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
    assert.equal(time("500101000000Z"), Date.UTC(1950, 0, 1) / 1000);
    assert.equal(time("20240229120000Z", DER_TAG.GENERALIZED_TIME), Date.UTC(2024, 1, 29, 12) / 1000);
    fc.assert(
      fc.property(fc.integer({ min: -62135596800, max: 253402300799 }), (seconds) => {
        const date = new Date(seconds * 1000);
        const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
        const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
        assert.equal(epochSeconds(year, month, day, hour, minute, second), seconds);
      }),
    );
  });

  it("skip over a value without losing the place", () => {
    const inner = derSequence(derSequence(), derOctetString(Uint8Array.of(1)), derSequence(derInteger(5)));
    const reader = new DerReader(derSequence(inner, derInteger(7)));
    reader.open(DER_TAG.SEQUENCE);
    assert.equal(reader.skip(), DER_TAG.SEQUENCE);
    assert.deepEqual(reader.encoded(), inner);
    assert.equal(reader.smallInteger(), 7);
    reader.close();
    reader.finish();
  });
});
