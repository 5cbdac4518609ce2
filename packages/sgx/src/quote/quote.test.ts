import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  CERTIFICATION_DATA_TYPE,
  decodeQuote,
  encodeQuoteV3,
  fromHex,
  QUOTE_VENDOR_INTEL,
  quoteV3Size,
  SgxFormatError,
  TEE_TYPE,
  toHex,
  writeU16,
  writeU32,
} from "../index.ts";

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/quotes/${name}.bin`, import.meta.url)));
const sgxV3 = fixture("sgx_v3_f8b81014b6e4");
const tdxV4 = fixture("tdx_v4_f1c850330112");
const tdxV5 = fixture("tdx_v5_67adfc4acd82");

test("a hardware SGX v3 quote decodes to its known fields", () => {
  const quote = decodeQuote(sgxV3);
  assert.equal(quote.header.version, 3);
  assert.equal(quote.header.qeSvn, 10);
  assert.deepEqual(quote.header.qeVendorId, QUOTE_VENDOR_INTEL);
  assert.equal(quote.size, 4600);
  assert.equal(quote.trailingBytes, 0);
  assert.equal(quote.signedBytes.length, 432);
  assert.equal(quote.body.kind, "sgx");
  assert.equal(quote.signatureData.certificationDataType, CERTIFICATION_DATA_TYPE.PCK_CHAIN);
  assert.equal(toHex(quote.signatureData.qeAuthData), toHex(Uint8Array.from({ length: 32 }, (_, i) => i)));
  assert.equal(quote.signatureData.certificationData.at(-1), 0, "the PCK chain ends in a NUL");
});

test("a hardware TDX v4 quote decodes and tolerates 70 bytes of buffer after it", () => {
  const quote = decodeQuote(new Uint8Array([...tdxV4, ...new Uint8Array(70)]));
  assert.equal(quote.header.version, 4);
  assert.equal(quote.header.teeType, TEE_TYPE.TDX);
  assert.equal(quote.size, 4936);
  assert.equal(quote.trailingBytes, 70);
  assert.equal(quote.body.kind, "td-1.0");
  assert.equal(quote.signatureData.certificationDataType, CERTIFICATION_DATA_TYPE.PCK_CHAIN);
  assert.equal(quote.signedBytes.length, 48 + 584);
});

test("a hardware TDX v5 quote decodes with its TD 1.5 body", () => {
  const quote = decodeQuote(tdxV5);
  assert.equal(quote.header.version, 5);
  assert.equal(quote.body.kind, "td-1.5");
  assert.ok(quote.body.kind === "td-1.5" && quote.body.report.teeTcbSvn2?.length === 16);
  assert.equal(quote.signedBytes.length, 54 + 648);
});

test("re-encoding a decoded v3 quote gives the same bytes", () => {
  const quote = decodeQuote(sgxV3);
  assert.deepEqual(encodeQuoteV3(quote.header, quote.bodyBytes, quote.signatureData), sgxV3);
  assert.equal(quoteV3Size(32, quote.signatureData.certificationData.length), sgxV3.length);
});

test("every truncation of every quote is refused with the package's error", () => {
  for (const bytes of [sgxV3, tdxV4, tdxV5]) {
    for (let size = 0; size < bytes.length; size++) {
      assert.throws(() => decodeQuote(bytes.subarray(0, size)), SgxFormatError);
    }
  }
});

test("lengths that overrun are refused: signature data, authentication data, certification data", () => {
  for (const [offset, write] of [
    [432, (b: Uint8Array) => writeU32(b, 432, 0xffffffff)],
    [436 + 576, (b: Uint8Array) => writeU16(b, 436 + 576, 0xffff)],
    [436 + 578 + 32 + 2, (b: Uint8Array) => writeU32(b, 436 + 578 + 32 + 2, 0xffffffff)],
  ] as const) {
    const bytes = sgxV3.slice();
    write(bytes);
    assert.throws(() => decodeQuote(bytes), SgxFormatError, `offset ${offset}`);
  }
});

test("v3 tolerates bytes after the certification data; the type-6 block of v4 does not", () => {
  const v3 = sgxV3.slice();
  const certSizeAt = 436 + 578 + 32 + 2;
  writeU32(v3, certSizeAt, sgxV3.length - certSizeAt - 4 - 1);
  assert.equal(decodeQuote(v3).signatureData.unusedBytes, 1);

  const v4 = tdxV4.slice();
  const innerSizeAt = 636 + 134 + 384 + 64 + 2 + 32 + 2;
  assert.equal(decodeQuote(v4).signatureData.certificationData.length, 3678);
  writeU32(v4, innerSizeAt, 3677);
  assert.throws(() => decodeQuote(v4), { code: "QUOTE_LAYOUT" });
});

test("unknown versions, key types, TEE types and body types are refused by name", () => {
  const mutate = (source: Uint8Array, change: (b: Uint8Array) => void) => {
    const bytes = source.slice();
    change(bytes);
    return () => decodeQuote(bytes);
  };
  for (const version of [0, 1, 2, 6, 0xffff]) {
    assert.throws(
      mutate(sgxV3, (b) => writeU16(b, 0, version)),
      { code: "QUOTE_VERSION" },
    );
  }
  assert.throws(
    mutate(sgxV3, (b) => writeU16(b, 2, 3)),
    { code: "QUOTE_TYPE" },
  );
  assert.throws(
    mutate(sgxV3, (b) => writeU32(b, 4, TEE_TYPE.TDX)),
    { code: "QUOTE_TYPE" },
    "TDX has no v3",
  );
  assert.throws(
    mutate(tdxV5, (b) => writeU16(b, 48, 4)),
    { code: "QUOTE_TYPE" },
  );
  assert.throws(
    mutate(tdxV5, (b) => writeU16(b, 48, 2)),
    { code: "QUOTE_LAYOUT" },
    "TD 1.0 is not 648 bytes",
  );
  assert.throws(
    mutate(tdxV5, (b) => writeU32(b, 4, 0)),
    { code: "QUOTE_LAYOUT" },
    "a TD body in an SGX quote",
  );
});

test("arbitrary and mutated bytes never throw anything but SgxFormatError", () => {
  const tryDecode = (bytes: Uint8Array) => {
    try {
      decodeQuote(bytes);
    } catch (error) {
      assert.ok(error instanceof SgxFormatError);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2048 }), tryDecode), { numRuns: 500 });
  fc.assert(
    fc.property(fc.constantFrom(sgxV3, tdxV4, tdxV5), fc.nat(5100), fc.nat(255), (source, at, value) => {
      const bytes = source.slice();
      bytes[at % bytes.length] = value;
      tryDecode(bytes);
    }),
    { numRuns: 1000 },
  );
});

test("quotes built from arbitrary parts round trip", () => {
  const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
  fc.assert(
    fc.property(
      bytes(384),
      bytes(64),
      bytes(64),
      bytes(384),
      bytes(64),
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 5000 }),
      bytes(20),
      (body, signature, attestationKey, qeReport, qeReportSignature, qeAuthData, certificationData, userData) => {
        const header = {
          version: 3,
          attestationKeyType: 2,
          teeType: 0,
          qeSvn: 11,
          pceSvn: 16,
          qeVendorId: fromHex("939a7233f79c4ca9940a0db3957f0607"),
          userData,
        };
        const parts = { signature, attestationKey, qeReport, qeReportSignature, qeAuthData, certificationData };
        const encoded = encodeQuoteV3(header, body, { ...parts, certificationDataType: 5 });
        const quote = decodeQuote(encoded);
        assert.deepEqual(quote.header, header);
        assert.deepEqual(quote.bodyBytes, body);
        assert.deepEqual(quote.signatureData, { ...parts, certificationDataType: 5, unusedBytes: 0 });
        assert.equal(quote.size, encoded.length);
      },
    ),
    { numRuns: 200 },
  );
});
