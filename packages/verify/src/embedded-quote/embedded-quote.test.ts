import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatBytes, toHex } from "@confcom/sgx";
import { derOctetString, derSequence } from "@confcom/sgx/der";
import fc from "fast-check";
import { VerifyError } from "../errors.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { looksLikeCertificate, readEmbeddedQuote } from "./embedded-quote.ts";
import { cbor } from "./testing/cbor-writer.ts";
import { testCertificate, testKey } from "./testing/certificate.ts";
import {
  claimsFor,
  openEnclaveEvidence,
  openEnclaveReport,
  pemOf,
  quoteOver,
  taggedEvidence,
} from "./testing/evidence.ts";
import { verifyCertificate } from "./verify-certificate.ts";

const KEY = testKey("P-256");
const CLAIMS = claimsFor(KEY);
const { quote: QUOTE } = quoteOver(CLAIMS);
const DICE = "2.23.133.5.4.9";
const REPORT = "1.3.6.1.4.1.311.105.1";
const EVIDENCE = "1.3.6.1.4.1.311.105.2";

function refused(oid: string, value: Uint8Array, message: RegExp): void {
  assert.throws(
    () => readEmbeddedQuote(testCertificate(KEY, [{ oid, value }])),
    (error) => {
      assert.ok(error instanceof VerifyError && error.code === "EMBEDDED_QUOTE", String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("hostile Open Enclave extensions", () => {
  it("are cut, or declare another size", () => {
    for (let size = 0; size < 16; size++) refused(REPORT, new Uint8Array(size), /cut/);
    for (let size = 0; size < 28; size++) refused(EVIDENCE, new Uint8Array(size), /cut/);
    for (const size of [QUOTE.length - 1, QUOTE.length + 1, 0, 2 ** 40]) {
      refused(REPORT, openEnclaveReport(QUOTE, { size }), /declares/);
      refused(EVIDENCE, openEnclaveEvidence(QUOTE, { size }), /declares/);
    }
  });

  it("are of another version, or of a type without a quote", () => {
    refused(REPORT, openEnclaveReport(QUOTE, { version: 2 }), /version 2/);
    refused(REPORT, openEnclaveReport(QUOTE, { type: 1 }), /type 1 has no quote/);
    refused(EVIDENCE, openEnclaveEvidence(QUOTE, { version: 2 }), /version 2/);
    // Local attestation and EPID.
    for (const format of ["09268c336e0b45e58a2715644d0ef89a", "f228aa3fde4d49d3884cb2aa87a50da6", "00".repeat(16)]) {
      refused(EVIDENCE, openEnclaveEvidence(QUOTE, { format }), /no ECDSA quote/);
    }
  });

  it("have a quote whose size lies: all of it is the quote then, and there are no claims", () => {
    const body = concatBytes(QUOTE, pemOf(KEY));
    body.fill(0xff, 432, 436);
    for (const bytes of [body, QUOTE.subarray(0, 435)]) {
      const { quote, keyReference } = readEmbeddedQuote(
        testCertificate(KEY, [{ oid: EVIDENCE, value: openEnclaveEvidence(bytes) }]),
      );
      assert.equal(quote.length, bytes.length);
      assert.deepEqual(keyReference, { kind: "pem-claims", claims: new Uint8Array(0) });
    }
  });
});

describe("hostile TCG DICE extensions", () => {
  const pair = (a: Uint8Array, b: Uint8Array) => cbor.array(cbor.bytes(a), cbor.bytes(b));
  const claims = (...pairs: (readonly [Uint8Array, Uint8Array])[]) => taggedEvidence(QUOTE, cbor.map(...pairs));
  const keyHash = (entry: Uint8Array) => claims([cbor.text("pubkey-hash"), cbor.bytes(entry)]);
  const hash = cbor.bytes(new Uint8Array(32));

  it("are no CBOR, or JSON", () => {
    for (const value of [new Uint8Array(0), new TextEncoder().encode('["a","b"]'), new TextEncoder().encode("{}")]) {
      refused(DICE, value, /neither a CBOR array nor a CBOR tag/);
    }
  });

  it("have another tag, or a report in the place of a quote", () => {
    refused(DICE, cbor.tag(571, pair(QUOTE, CLAIMS)), /tag 571/);
    refused(DICE, cbor.tag(60001, pair(QUOTE, CLAIMS)), /a report/);
    refused(DICE, cbor.tag(60002, pair(QUOTE, CLAIMS)), /a report/);
    refused(DICE, cbor.tag(2 ** 40, pair(QUOTE, CLAIMS)), /tag 1099511627776/);
  });

  it("are not a pair of byte strings, or are followed by something", () => {
    refused(DICE, cbor.tag(60000, cbor.bytes(QUOTE)), /major type 4 expected/);
    refused(DICE, cbor.tag(60000, cbor.array(cbor.bytes(QUOTE))), /not a pair/);
    refused(DICE, cbor.tag(60000, cbor.array(cbor.bytes(QUOTE), cbor.text("x"))), /major type 2 expected/);
    refused(DICE, concatBytes(taggedEvidence(QUOTE, CLAIMS), Uint8Array.of(0)), /1 bytes after/);
    refused(DICE, taggedEvidence(QUOTE, concatBytes(CLAIMS, Uint8Array.of(0))), /the claims: 1 bytes after/);
  });

  it("have claims without a hash of the key, with two, or with too many", () => {
    refused(DICE, claims(), /no pubkey-hash/);
    const entry = cbor.bytes(cbor.array(cbor.uint(1), hash));
    refused(DICE, claims([cbor.text("pubkey-hash"), entry], [cbor.text("pubkey-hash"), entry]), /there twice/);
    const many = Array.from({ length: 17 }, (_, i) => [cbor.text(`${i}`), cbor.bytes(QUOTE)] as const);
    refused(DICE, claims(...many), /17 claims/);
    refused(DICE, claims([cbor.uint(1), entry]), /major type 3 expected/);
    refused(DICE, claims([cbor.text("pubkey-hash"), cbor.text("x")]), /major type 2 expected/);
  });

  it("have a hash of an unknown kind, of a wrong size, or something else", () => {
    refused(DICE, keyHash(cbor.array(cbor.uint(2), hash)), /hash algorithm 2/);
    refused(DICE, keyHash(cbor.array(cbor.uint(7), hash)), /a sha384 of 32 bytes/);
    refused(DICE, keyHash(cbor.array(cbor.uint(1), cbor.bytes(new Uint8Array(0)))), /a sha256 of 0 bytes/);
    refused(DICE, keyHash(cbor.array(hash)), /not a pair/);
    refused(DICE, keyHash(hash), /major type 4 expected/);
    refused(DICE, keyHash(new Uint8Array(0)), /major type 4 expected/);
  });

  it("are wrappers of something else, or around something else", () => {
    const evidence = cbor.bytes(taggedEvidence(QUOTE, CLAIMS));
    refused(DICE, cbor.array(cbor.uint(1), evidence, cbor.uint(1)), /not evidence/);
    refused(DICE, cbor.array(cbor.uint(1)), /a list of 1/);
    refused(DICE, cbor.array(cbor.uint(1), evidence, cbor.uint(4), cbor.uint(4)), /a list of 4/);
    refused(DICE, cbor.array(cbor.uint(1), cbor.text("x")), /major type 2 expected/);
    refused(DICE, cbor.array(cbor.uint(1), cbor.bytes(new Uint8Array(0))), /major type 6 expected/);
    refused(DICE, cbor.tag(1668546816, evidence), /tag 1668546816/);
    refused(DICE, cbor.tag(1668612096, evidence), /tag 1668612096/);
    refused(DICE, derSequence(), /DER/);
    refused(DICE, concatBytes(derOctetString(evidence), Uint8Array.of(0)), /DER/);
    // A wrapper in a wrapper.
    const wrapper = cbor.array(cbor.uint(1), evidence);
    refused(DICE, cbor.array(cbor.uint(1), cbor.bytes(wrapper)), /major type 6 expected/);
  });
});

describe("hostile certificates", () => {
  it("have the extension twice", () => {
    const extension = { oid: DICE, value: taggedEvidence(QUOTE, CLAIMS) };
    assert.throws(() => readEmbeddedQuote(testCertificate(KEY, [extension, extension])), /there twice/);
  });

  it("are cut anywhere", () => {
    const certificate = testCertificate(KEY, [{ oid: DICE, value: taggedEvidence(QUOTE, CLAIMS) }]);
    for (let size = 0; size < certificate.length; size += size < 600 ? 1 : 97) {
      assert.throws(() => readEmbeddedQuote(certificate.subarray(0, size)), VerifyError);
    }
  });

  it("changed in one byte: a VerifyError or a certificate, and verified only if key and quote are the same", () => {
    const subject = quoteOver(CLAIMS);
    const certificate = testCertificate(KEY, [{ oid: DICE, value: taggedEvidence(subject.quote, CLAIMS) }]);
    const terms = { now: subject.now, trustedRoots: [subject.trustedRoot], crypto: nodeCrypto };
    const original = readEmbeddedQuote(certificate);
    let verified = 0;
    fc.assert(
      fc.property(fc.nat(certificate.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = certificate.slice();
        changed[at] = (changed[at] as number) ^ mask;
        const { ret, embedded } = verifyCertificate(changed, subject.collateral, terms);
        if (ret !== 0) return;
        verified++;
        assert.deepEqual(embedded?.certificate.publicKeyInfo, original.certificate.publicKeyInfo);
        assert.deepEqual(embedded?.keyReference, original.keyReference);
      }),
      { numRuns: 1000 },
    );
    assert.ok(verified > 0, "names and signature are not vouched for, so some changes must pass");
  });

  it("of random bytes end in VerifyError and nothing else", () => {
    const der = fc.uint8Array({ maxLength: 200 }).map((bytes) => derSequence(derSequence(bytes), bytes));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), der), (bytes) => {
        assert.throws(() => readEmbeddedQuote(bytes), VerifyError);
      }),
      { numRuns: 500 },
    );
  });
});

it("a certificate is told from a quote by how it starts", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  assert.equal(looksLikeCertificate(testCertificate(KEY, [])), true);
  assert.equal(looksLikeCertificate(text("subject=CN = RATLS\n-----BEGIN CERTIFICATE-----\n")), true);
  assert.equal(looksLikeCertificate(text("0 s:CN = RATLS\n-----BEGIN CERTIFICATE-----\n")), true);
  assert.equal(looksLikeCertificate(QUOTE), false);
  assert.equal(looksLikeCertificate(text(toHex(QUOTE))), false, "the 0 of 0300 is the tag of a SEQUENCE");
  assert.equal(looksLikeCertificate(new Uint8Array(0)), false);
});
