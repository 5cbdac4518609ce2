import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  ATTRIBUTE_FLAGS,
  attributeFlagNames,
  decodeAttestationKeyId,
  decodeKeyIdList,
  decodeKeyRequest,
  decodeQeReportInfo,
  decodeReport,
  decodeTargetInfo,
  ECDSA_P256_KEY_ID,
  encodeAttestationKeyId,
  encodeKeyIdList,
  encodeKeyRequest,
  encodeQeReportInfo,
  encodeReport,
  encodeTargetInfo,
  fromHex,
  readU64,
  SgxFormatError,
  sameAttestationKey,
  toHex,
  writeU64,
} from "./index.ts";

/** Records with the ordinary prototype, so that deep equality compares fields only. */
const plainRecord = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });
const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
const u16 = fc.nat(0xffff);
const u32 = fc.nat({ max: 0xffffffff });
const u64 = fc.bigInt(0n, 0xffffffffffffffffn);
const attributes = plainRecord({ flags: u64, xfrm: u64 });
const reportBody = plainRecord({
  cpuSvn: bytes(16),
  miscSelect: u32,
  isvExtProdId: bytes(16),
  attributes,
  mrEnclave: bytes(32),
  mrSigner: bytes(32),
  configId: bytes(64),
  isvProdId: u16,
  isvSvn: u16,
  configSvn: u16,
  isvFamilyId: bytes(16),
  reportData: bytes(64),
});

test("a report of 432 bytes holds every field", () => {
  fc.assert(
    fc.property(plainRecord({ body: reportBody, keyId: bytes(32), mac: bytes(16) }), (report) => {
      const encoded = encodeReport(report);
      assert.equal(encoded.length, 432);
      assert.deepEqual(decodeReport(encoded), report);
    }),
  );
});

test("a target info of 512 bytes holds every field", () => {
  const target = plainRecord({
    mrEnclave: bytes(32),
    attributes,
    configSvn: u16,
    miscSelect: u32,
    configId: bytes(64),
  });
  fc.assert(
    fc.property(target, (value) => {
      const encoded = encodeTargetInfo(value);
      assert.equal(encoded.length, 512);
      assert.deepEqual(decodeTargetInfo(encoded), value);
    }),
  );
});

test("a key request of 512 bytes holds every field", () => {
  const request = plainRecord({
    keyName: u16,
    keyPolicy: u16,
    isvSvn: u16,
    cpuSvn: bytes(16),
    attributeMask: attributes,
    keyId: bytes(32),
    miscMask: u32,
    configSvn: u16,
  });
  fc.assert(
    fc.property(request, (value) => {
      const encoded = encodeKeyRequest(value);
      assert.equal(encoded.length, 512);
      assert.deepEqual(decodeKeyRequest(encoded), value);
    }),
  );
});

test("a qe_report_info of 960 bytes is nonce, target info and report", () => {
  const info = plainRecord({ nonce: bytes(16), appEnclaveTargetInfo: bytes(512), qeReport: bytes(432) });
  fc.assert(
    fc.property(info, (value) => {
      const encoded = encodeQeReportInfo(value);
      assert.equal(encoded.length, 960);
      assert.deepEqual(decodeQeReportInfo(encoded), value);
    }),
  );
});

test("fields lie where the specification puts them", () => {
  const report = new Uint8Array(432);
  report.set([0x11, 0x22], 258);
  report.set([0x33, 0x44], 256);
  report.fill(0xaa, 64, 96);
  report.fill(0xbb, 128, 160);
  report.fill(0xcc, 320, 384);
  report[48] = 0x87;
  const { body } = decodeReport(report);
  assert.equal(body.isvSvn, 0x2211);
  assert.equal(body.isvProdId, 0x4433);
  assert.equal(toHex(body.mrEnclave), "aa".repeat(32));
  assert.equal(toHex(body.mrSigner), "bb".repeat(32));
  assert.equal(toHex(body.reportData), "cc".repeat(64));
  assert.deepEqual(attributeFlagNames(body.attributes.flags), ["INIT", "DEBUG", "MODE64BIT", "KSS"]);
});

test("wrong sizes are refused by name", () => {
  for (const [decode, size] of [
    [decodeReport, 432],
    [decodeTargetInfo, 512],
    [decodeKeyRequest, 512],
    [decodeQeReportInfo, 960],
    [decodeAttestationKeyId, 256],
  ] as const) {
    for (const wrong of [0, size - 1, size + 1]) {
      assert.throws(() => decode(new Uint8Array(wrong)), { code: "SGX_SIZE" }, `${decode.name} of ${wrong}`);
    }
  }
});

test("the default key id is byte for byte what Intel's service lists", () => {
  const reply = new Uint8Array(readFileSync(new URL("./fixtures/intel-ids.1.res", import.meta.url)));
  const listed = reply.subarray(reply.length - 256);
  assert.deepEqual(encodeAttestationKeyId(ECDSA_P256_KEY_ID), listed);
  assert.deepEqual(decodeAttestationKeyId(listed), ECDSA_P256_KEY_ID);
});

test("key ids compare by their first 158 bytes only", () => {
  const id = encodeAttestationKeyId(ECDSA_P256_KEY_ID);
  for (let at = 0; at < 256; at++) {
    const other = id.slice();
    other[at] = (other[at] as number) ^ 1;
    assert.equal(sameAttestationKey(id, other), at >= 158, `byte ${at}`);
  }
  assert.equal(sameAttestationKey(id, id.subarray(0, 158)), true);
  assert.equal(sameAttestationKey(id, id.subarray(0, 157)), false);
});

test("a key id with an mrsigner_length over 48 is refused", () => {
  const id = encodeAttestationKeyId(ECDSA_P256_KEY_ID);
  id[4] = 49;
  assert.throws(() => decodeAttestationKeyId(id), { code: "SGX_VALUE" });
});

test("a key id list holds 1 to 10 entries of exactly 256 bytes", () => {
  fc.assert(
    fc.property(fc.array(bytes(256), { minLength: 1, maxLength: 10 }), (entries) => {
      assert.deepEqual(decodeKeyIdList(encodeKeyIdList(entries)), entries);
    }),
    { numRuns: 30 },
  );
  const one = encodeKeyIdList([new Uint8Array(256)]);
  for (const broken of [
    one.subarray(0, 263),
    new Uint8Array([...one, 0]),
    Uint8Array.from(one, (b, i) => (i === 0 ? 1 : b)),
    Uint8Array.from(one, (b, i) => (i === 2 ? 1 : b)),
    Uint8Array.from(one, (b, i) => (i === 4 ? 0 : b)),
    Uint8Array.from(one, (b, i) => (i === 4 ? 11 : b)),
    Uint8Array.from(one, (b, i) => (i === 7 ? 0x80 : b)),
    new Uint8Array(8),
  ]) {
    assert.throws(() => decodeKeyIdList(broken), { code: "KEY_ID_LIST" });
  }
  assert.throws(() => encodeKeyIdList([]), { code: "KEY_ID_LIST" });
});

test("hexadecimal round trips and refuses anything else", () => {
  fc.assert(fc.property(fc.uint8Array(), (value) => assert.deepEqual(fromHex(toHex(value)), value)));
  for (const wrong of ["0", "0g", "zz", " 00", "0x00", "０0", "é0"]) {
    assert.throws(() => fromHex(wrong), SgxFormatError, wrong);
  }
  assert.throws(() => fromHex("0000", 3), { code: "SGX_HEX" });
});

test("64-bit fields keep all their bits and refuse more", () => {
  const out = new Uint8Array(8);
  fc.assert(
    fc.property(u64, (value) => {
      writeU64(out, 0, value);
      assert.equal(readU64(out, 0), value);
    }),
  );
  assert.throws(() => writeU64(out, 0, 1n << 64n), { code: "SGX_VALUE" });
  assert.throws(() => writeU64(out, 1, 0n), { code: "SGX_SIZE" });
});

test("flag bits without a name are shown as a number", () => {
  assert.deepEqual(attributeFlagNames(ATTRIBUTE_FLAGS.INIT | 0x8000n), ["INIT", "0x8000"]);
});
