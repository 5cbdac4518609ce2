import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DER_TAG, DerReader, derElement, derOid, derSequence } from "@confcom/sgx/der";
import { readName } from "./certificate.ts";
import type { DistinguishedName } from "./name.ts";

type Part = readonly [oid: string, tag: number, value: string | Uint8Array];

/** A name from its relative parts, each of one attribute or several. */
function name(...relative: readonly (readonly Part[])[]): DistinguishedName {
  const sets = relative.map((parts) =>
    derElement(
      DER_TAG.SET,
      ...parts.map(([oid, tag, value]) =>
        derSequence(derOid(oid), derElement(tag, typeof value === "string" ? Buffer.from(value, "utf8") : value)),
      ),
    ),
  );
  return readName(new DerReader(derSequence(...sets)));
}

const { UTF8_STRING, PRINTABLE_STRING, TELETEX_STRING } = DER_TAG;
const CN = "2.5.4.3";
const O = "2.5.4.10";

describe("names", () => {
  it("print from the last part to the first, parts of one set joined by a plus", () => {
    const country = ["2.5.4.6", PRINTABLE_STRING, "US"] as const;
    const both = [[CN, UTF8_STRING, "a"] as const, ["2.5.4.11", UTF8_STRING, "b"] as const];
    assert.equal(name([country], both).text, "OU=b+CN=a,C=US");
    assert.equal(name().text, "");
  });

  it("escape what RFC 2253 escapes", () => {
    const cases: readonly (readonly [string, string])[] = [
      ["Intel SGX PCK Certificate", "Intel SGX PCK Certificate"],
      [" a b ", "\\ a b\\ "],
      ["#1", "\\#1"],
      ["a#1", "a#1"],
      ['a,b+c"d\\e<f>g;h', 'a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h'],
      ["a\nb\u007f", "a\\0Ab\\7F"],
      [" ", "\\ "],
      ["a-b=c", "a-b=c"],
      ["", ""],
      ["Zürich", "Zürich"],
    ];
    for (const [value, printed] of cases) assert.equal(name([[CN, UTF8_STRING, value]]).text, `CN=${printed}`);
  });

  it("print unknown types by number, and values that are no text as their DER", () => {
    assert.equal(name([["1.2.3", UTF8_STRING, "a"]]).text, "1.2.3=#0c0161");
    assert.equal(name([["2.5.4.46", UTF8_STRING, "a"]]).text, "2.5.4.46=#0c0161");
    assert.equal(name([["0.9.2342.19200300.100.1.25", DER_TAG.IA5_STRING, "a"]]).text, "DC=a");
    assert.equal(name([[CN, DER_TAG.INTEGER, Uint8Array.of(7)]]).text, "CN=#020107");
    assert.equal(name([[CN, UTF8_STRING, Uint8Array.of(0xff)]]).text, "CN=#0c01ff");
    assert.equal(name([[CN, UTF8_STRING, "a".repeat(1001)]]).commonName, "");
    assert.equal(name([[CN, UTF8_STRING, "a".repeat(1000)]]).commonName.length, 1000);
  });

  it("beyond ASCII are read in UTF-8 only, and printed from the older types too", () => {
    assert.equal(name([[CN, UTF8_STRING, "Zürich"]]).commonName, "Zürich");
    const older = name([[CN, TELETEX_STRING, Uint8Array.of(0x80, 0xfc)]], [[O, UTF8_STRING, "o"]]);
    assert.equal(older.commonName, "");
    assert.equal(older.organization, "o");
    assert.equal(older.text, "O=o,CN=\u0080\u00fc");
    const mixed = name([[CN, UTF8_STRING, "\u0080"]], [[O, UTF8_STRING, "organization"]]);
    assert.equal(mixed.organization, "organization");
  });

  it("count the first attribute of a type", () => {
    const twice = name([[CN, UTF8_STRING, "first"]], [[CN, UTF8_STRING, "second"]]);
    assert.equal(twice.commonName, "first");
    assert.equal(name([[O, UTF8_STRING, "o"]]).commonName, "");
  });

  it("are equal by five of their attributes, in any order and string type", () => {
    const cn = [CN, UTF8_STRING, "a"] as const;
    const country = ["2.5.4.6", PRINTABLE_STRING, "US"] as const;
    const unit = ["2.5.4.11", UTF8_STRING, "b"] as const;
    assert.equal(name([cn], [country]).equals(name([country], [cn])), true);
    assert.equal(name([cn], [country]).printsLike(name([country], [cn])), false);
    assert.equal(name([cn]).equals(name([[CN, PRINTABLE_STRING, "a"]])), true);
    assert.equal(name([cn], [unit]).equals(name([cn])), true);
    for (const type of [CN, "2.5.4.6", O, "2.5.4.7", "2.5.4.8"]) {
      assert.equal(name([[type, UTF8_STRING, "a"]]).equals(name([[type, UTF8_STRING, "b"]])), false, type);
    }
  });

  it("are one object where they are the same bytes in one chain", () => {
    const known: DistinguishedName[] = [];
    const encoded = name([[CN, UTF8_STRING, "a"]]).encoded;
    const first = readName(new DerReader(encoded), known);
    assert.equal(readName(new DerReader(Uint8Array.from(encoded)), known), first);
    assert.equal(known.length, 1);
  });
});
