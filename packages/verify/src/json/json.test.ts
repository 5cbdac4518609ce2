import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "./canonical.ts";
import { parseIsoDate } from "./date.ts";
import { dateField, hexField, intField, signatureBytes, stringField, stringListField, uintField } from "./fields.ts";
import { JsonParser, JsonSyntaxError } from "./parse.ts";
import { JsonDouble, JsonObject, type JsonValue } from "./value.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function parse(text: string | Uint8Array): JsonValue {
  return new JsonParser(typeof text === "string" ? encode(text) : text).parse();
}

function object(text: string): JsonObject {
  const value = parse(text);
  assert.ok(value instanceof JsonObject);
  return value;
}

function plain(value: JsonValue): unknown {
  if (value instanceof JsonObject)
    return Object.fromEntries([...value.members()].map(([name, member]) => [name, plain(member)]));
  if (value instanceof JsonDouble) return value.value;
  return Array.isArray(value) ? value.map(plain) : value;
}

function canonical(text: string, places = 324): string {
  const bytes = encode(text);
  parse(bytes);
  return new TextDecoder().decode(canonicalJson(bytes, 0, bytes.length, places));
}

describe("JSON as the reference verifier's library reads it", () => {
  it("reads every spelling of a string as JSON.parse does, and writes the one of RapidJSON", () => {
    const characters = fc.array(fc.tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), fc.boolean()));
    fc.assert(
      fc.property(characters, (parts) => {
        let spelled = "";
        for (const [character, escaped] of parts) {
          const units = character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
          spelled += escaped ? units.join("") : JSON.stringify(character).slice(1, -1);
        }
        const text = `"${spelled}"`;
        const value = parts.map(([character]) => character).join("");
        assert.equal(parse(text), value);
        assert.equal(parse(text), JSON.parse(text));
        assert.equal(parse(canonical(text)), value);
        assert.equal(canonical(canonical(text)), canonical(text));
      }),
    );
    assert.equal(canonical('"\\u0041\\/\\u000a\\u0001\\u00e9\\ud83d\\ude00\\\\ "'), '"A/\\n\\u0001é😀\\\\ "');
    for (const bad of ['"\\u00g0"', '"\\u12"', '"\\x"', '"\\"', '"\\u', '"\\ud83d\\u0041"', '"\\udc00"', '"\\ud83d"']) {
      assert.throws(() => parse(bad), JsonSyntaxError, bad);
    }
  });

  it("agrees with JSON.parse on what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        if (/[.eE]/.test(text.replace(/"(\\.|[^"\\])*"/g, "")) || text.includes("__proto__")) return;
        assert.deepEqual(plain(parse(text)), JSON.parse(text));
      }),
    );
  });

  it("refuses what JSON.parse refuses, and more", () => {
    for (const text of [
      "",
      " ",
      "{",
      "[1,]",
      '{"a":1,}',
      "{a:1}",
      "01",
      "-",
      "1.",
      ".5",
      "1e",
      "+1",
      "NaN",
      "Infinity",
      "tru",
      "nulls",
      "1 2",
      "// comment\n1",
      '"\n"',
      '"\\x41"',
      '"\\u12"',
      '"unclosed',
      "\ufeff{}",
      "'a'",
      '"\\ud800"',
      '"\\ud800\\u0041"',
      '"\\udc00"',
      "1e309",
      `1${"0".repeat(400)}`,
    ]) {
      assert.throws(() => parse(text), JsonSyntaxError, text);
    }
  });

  it("is bounded in depth and number of values", () => {
    assert.throws(() => parse("[".repeat(40) + "]".repeat(40)), JsonSyntaxError);
    assert.throws(() => parse(`[${"0,".repeat(300_000)}0]`), JsonSyntaxError);
    assert.throws(() => parse(`1${"0".repeat(10_000_000)}`), JsonSyntaxError);
  });

  it("finds the first of members with the same name", () => {
    assert.equal(object('{"a":1,"a":2}').get("a"), 1);
    assert.deepEqual(
      [...object('{"a":1,"a":2}').members()],
      [
        ["a", 1],
        ["a", 2],
      ],
    );
  });

  it("random bytes end in JsonSyntaxError and nothing else", () => {
    const byte = fc.constantFrom(...encode('{}[]":,\\u0123eE.-+truefalsn \n\x00\xff'));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 40 }), (bytes) => {
        try {
          parse(Uint8Array.from(bytes));
        } catch (error) {
          assert.ok(error instanceof JsonSyntaxError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("JSON as the reference verifier's library writes it back", () => {
  it("drops blanks outside strings only", () => assert.equal(canonical(' { "a b" :\n[ 1 ,\t2 ] } '), '{"a b":[1,2]}'));

  it("escapes what it must and nothing else", () => {
    assert.equal(
      canonical(String.raw`"\/\u0041\u00e9\ud83d\ude00\"\\\b\f\n\r\t\u0001\u001f"`),
      String.raw`"/Aé😀\"\\\b\f\n\r\t\u0001\u001F"`,
    );
  });

  it("keeps members in order, repeated ones too", () =>
    assert.equal(canonical('{"b":1,"a":2,"b":3}'), '{"b":1,"a":2,"b":3}'));

  it("writes integers of 64 bits as they are, others as doubles", () => {
    assert.equal(canonical("[0,-0,-5,18446744073709551615]"), "[0,0,-5,18446744073709551615]");
    assert.equal(canonical("-9223372036854775808"), "-9223372036854775808");
    assert.equal(canonical("18446744073709551616"), "18446744073709552000.0");
  });

  it("writes doubles in its own form", () => {
    const forms: Readonly<Record<string, string>> = {
      "1.0": "1.0",
      "1.50": "1.5",
      "-0.0": "-0.0",
      "0.0": "0.0",
      "1e5": "100000.0",
      "1E2": "100.0",
      "0.001": "0.001",
      "1e-7": "1e-7",
      "1.5e-7": "1.5e-7",
      "1e21": "1e21",
      "1e20": "100000000000000000000.0",
      "123456.789": "123456.789",
      "1.25e30": "1.25e30",
    };
    for (const [text, written] of Object.entries(forms)) assert.equal(canonical(text), written, text);
    assert.equal(canonical("1e-30", 25), "0.0");
    assert.equal(canonical("1e-22", 25), "1e-22");
    // Its conversion is off by one unit in the last place here, and so must this be.
    assert.equal(canonical("1e-30", 324), "9.999999999999999e-31");
  });

  it("leaves bytes above ASCII alone, valid UTF-8 or not", () => {
    const bytes = Uint8Array.of(0x22, 0xff, 0xc3, 0xa9, 0x22);
    assert.deepEqual(canonicalJson(bytes, 0, 5, 25), bytes);
  });
});

describe("fields", () => {
  it("are missing, wrong, or there", () => {
    const one = object('{"n":5,"s":"x","d":1.0,"neg":-1,"big":4294967296,"list":["a"],"mixed":["a",1]}');
    assert.deepEqual(uintField(one, "n"), { ok: true, value: 5 });
    assert.deepEqual(uintField(one, "absent"), { ok: false, missing: true });
    for (const name of ["s", "d", "neg", "big"]) assert.deepEqual(uintField(one, name), { ok: false, missing: false });
    assert.deepEqual(intField(one, "neg"), { ok: true, value: -1 });
    assert.deepEqual(intField(one, "big"), { ok: false, missing: false });
    assert.deepEqual(stringListField(one, "list"), { ok: true, value: ["a"] });
    assert.deepEqual(stringListField(one, "mixed"), { ok: false, missing: false });
  });

  it("end at the first NUL, as C strings do", () => {
    const one = object(String.raw`{"s":"SGX\u0000TDX","h":"00ff\u00001"}`);
    assert.deepEqual(stringField(one, "s"), { ok: true, value: "SGX" });
    assert.deepEqual(hexField(one, "h", 2), { ok: true, value: Uint8Array.of(0, 255) });
  });

  it("are hexadecimal of the exact size, in either case", () => {
    const one = object('{"a":"aBcD","b":"abc","c":"abcg"}');
    assert.deepEqual(hexField(one, "a", 2), { ok: true, value: Uint8Array.of(0xab, 0xcd) });
    for (const name of ["b", "c"]) assert.equal(hexField(one, name, 2).ok, false);
  });

  it("are dates of one form that exist", () => {
    assert.deepEqual(dateField(object('{"d":"2024-02-29T23:59:59Z"}'), "d"), {
      ok: true,
      value: Date.UTC(2024, 1, 29, 23, 59, 59) / 1000,
    });
    for (const text of ["2023-02-29T00:00:00Z", "2023-01-01T00:00Z", "2023-01-01 00:00:00Z", "2023-01-01T24:00:00Z"]) {
      assert.equal(parseIsoDate(text), undefined);
    }
    for (const text of [
      "2023-01-01T00:00:60Z",
      "2023-1-01T00:00:00Z",
      "2023-01-01T00:00:00+00:00",
      "2023-13-01T00:00:00Z",
      "2023-01-01T00:00:00Z\n",
    ]) {
      assert.equal(parseIsoDate(text), undefined);
    }
  });

  it("are signatures of 128 characters, wrong ones included", () => {
    assert.equal(signatureBytes("ab".repeat(64))?.length, 64);
    assert.equal(signatureBytes("zz".repeat(64))?.length, 0);
    assert.equal(signatureBytes("ab".repeat(63)), undefined);
    assert.equal(signatureBytes(5), undefined);
  });
});
