import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { concatBytes } from "@confcom/sgx";
import { derOctetString, derSequence } from "@confcom/sgx/der";
import { VerifyError, validate, webCrypto } from "../index.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { pemText } from "../testing/pem-text.ts";
import type { Subject } from "../testing/subject.ts";
import { publicKeyPem } from "./key-binding.ts";
import { cbor } from "./testing/cbor-writer.ts";
import { type TestExtension, testCertificate, testKey } from "./testing/certificate.ts";
import {
  claimsFor,
  HASH_ID,
  openEnclaveEvidence,
  openEnclaveReport,
  pemOf,
  quoteOver,
  taggedEvidence,
} from "./testing/evidence.ts";
import { verifyCertificate, verifyCertificateAsync } from "./verify-certificate.ts";

const KEY = testKey("P-256");
const OTHER_KEY = testKey("P-384");

const OID = {
  gramine: "1.2.840.113741.1337.6",
  dice: "2.23.133.5.4.9",
  pkix: "1.3.6.1.5.5.7.1.35",
  openEnclaveReport: ["1.2.840.113556.10.1.1", "1.3.6.1.4.1.311.105.1"],
  openEnclaveEvidence: ["1.2.840.113556.10.1.2", "1.3.6.1.4.1.311.105.2"],
} as const;

function termsOf({ now, trustedRoot }: Subject) {
  return { now, trustedRoots: [trustedRoot], crypto: nodeCrypto };
}

function verified(certificate: Uint8Array, subject: Subject) {
  return verifyCertificate(certificate, subject.collateral, termsOf(subject));
}

/** What an extension makes of its scheme for the right key, for another key, and in a tampered state. */
function facts(name: string, make: (key: typeof KEY) => { extension: TestExtension; subject: Subject }): void {
  it(name, () => {
    const { extension, subject } = make(KEY);
    const good = verified(testCertificate(KEY, [extension]), subject);
    assert.deepEqual([good.ret, good.result, good.keyBinding?.bound], [0, "OK", true], good.reason);
    assert.equal(good.embedded?.oid, extension.oid);
    const names = good.steps.map((step) => step.name);
    assert.deepEqual([names[0], ...names.slice(-2)], ["certificate", "key binding", "verdict"]);
    assert.equal(validate(good, { allowedPlatforms: ["other"] }).met, true);

    const stolen = verified(testCertificate(OTHER_KEY, [extension]), subject);
    assert.deepEqual(
      [stolen.retName, stolen.result, stolen.status, stolen.keyBinding?.bound],
      ["UNEXPECTED", "UNSPECIFIED", "STATUS_CERTIFICATE_KEY_NOT_BOUND", false],
    );
    assert.deepEqual([stolen.steps.at(-1)?.name, stolen.steps.at(-1)?.outcome], ["key binding", "failed"]);
    assert.deepEqual([stolen.tcbLevel, stolen.supplemental, stolen.advisories], [undefined, undefined, []]);
    assert.deepEqual(
      validate(stolen, {}).failures.map(({ rule }) => rule),
      ["verified"],
    );
  });
}

describe("certificates with quotes", () => {
  facts("gramine RA-TLS: a bare quote over the public key", (key) => {
    const subject = quoteOver(key.publicKeyInfo);
    return { extension: { oid: OID.gramine, value: subject.quote }, subject };
  });

  for (const oid of OID.openEnclaveReport) {
    facts(`Open Enclave report (${oid}): a quote over the public key's PEM`, (key) => {
      const subject = quoteOver(pemOf(key));
      return { extension: { oid, value: openEnclaveReport(subject.quote) }, subject };
    });
  }

  for (const oid of OID.openEnclaveEvidence) {
    facts(`Open Enclave evidence (${oid}): a quote over claims that are the public key's PEM`, (key) => {
      const subject = quoteOver(pemOf(key));
      const value = openEnclaveEvidence(concatBytes(subject.quote, pemOf(key)));
      return { extension: { oid, value }, subject };
    });
  }

  for (const [format, kind] of [
    ["1923d91e12d24c72b22025cd8dace871", "sgx"],
    ["8ba70286c1cf11edafa10242ac120002", "tdx"],
  ] as const) {
    facts(`Open Enclave evidence around a bare ${kind} quote`, (key) => {
      const subject = quoteOver(pemOf(key), kind);
      const value = openEnclaveEvidence(subject.quote, { format });
      return { extension: { oid: OID.openEnclaveEvidence[1], value }, subject };
    });
  }

  facts("Open Enclave evidence around a report", (key) => {
    const subject = quoteOver(pemOf(key));
    const value = openEnclaveEvidence(openEnclaveReport(subject.quote), { format: "c8303454d9234c2ca691df7def460a76" });
    return { extension: { oid: OID.openEnclaveEvidence[0], value }, subject };
  });

  for (const algorithm of Object.keys(HASH_ID) as (keyof typeof HASH_ID)[]) {
    facts(`TCG DICE tagged evidence: claims with the ${algorithm} of the public key`, (key) => {
      const claims = claimsFor(key, algorithm);
      const subject = quoteOver(claims, algorithm === "sha256" ? "sgx" : "tdx");
      return { extension: { oid: OID.dice, value: taggedEvidence(subject.quote, claims) }, subject };
    });
  }

  facts("TCG DICE tagged evidence with a nonce, and claims nobody knows", (key) => {
    const nonce = [cbor.text("nonce"), cbor.bytes(Uint8Array.of(1, 2, 3))] as const;
    const claims = claimsFor(key, "sha256", nonce, [cbor.text("more"), cbor.bytes(new Uint8Array(300))]);
    const subject = quoteOver(claims);
    return { extension: { oid: OID.dice, value: taggedEvidence(subject.quote, claims) }, subject };
  });

  for (const [name, wrap] of Object.entries({
    "a record with a media type": (value: Uint8Array) => cbor.array(cbor.text("application/x"), cbor.bytes(value)),
    "a record with a content format, marked as evidence": (value: Uint8Array) =>
      cbor.array(cbor.uint(60000), cbor.bytes(value), cbor.uint(4)),
    "a content format's tag": (value: Uint8Array) => cbor.tag(1668546817 + 300, cbor.bytes(value)),
    "a record in an OCTET STRING": (value: Uint8Array) => derOctetString(cbor.array(cbor.uint(1), cbor.bytes(value))),
    "a record in a SEQUENCE": (value: Uint8Array) =>
      derSequence(derOctetString(cbor.array(cbor.uint(1), cbor.bytes(value)))),
  })) {
    facts(`conceptual message wrapper, ${name}: tagged evidence`, (key) => {
      const claims = claimsFor(key);
      const subject = quoteOver(claims);
      return { extension: { oid: OID.dice, value: wrap(taggedEvidence(subject.quote, claims)) }, subject };
    });
    facts(`conceptual message wrapper, ${name}: a bare quote`, (key) => {
      const subject = quoteOver(key.publicKeyInfo);
      return { extension: { oid: OID.pkix, value: wrap(subject.quote) }, subject };
    });
  }

  it("may have keys of any kind, critical or not, written out or not, in PEM or DER", () => {
    for (const kind of ["P-256", "P-384", "RSA"] as const) {
      const key = testKey(kind);
      const subject = quoteOver(key.publicKeyInfo);
      for (const critical of [{}, { critical: true }, { critical: false }]) {
        const extension = { oid: OID.gramine, value: subject.quote, ...critical };
        const certificate = testCertificate(key, [
          { oid: "2.5.29.14", value: derOctetString(new Uint8Array(20)) },
          extension,
        ]);
        const pem = new TextEncoder().encode(`a comment\n${pemText(certificate, subject.rootCertificate)}`);
        for (const form of [certificate, pem]) assert.equal(verified(form, subject).ret, 0, kind);
      }
      // The certificates of these tests are real ones.
      const { publicKey } = new X509Certificate(testCertificate(key, []));
      assert.deepEqual(new Uint8Array(publicKey.export({ type: "spki", format: "der" })), key.publicKeyInfo);
      assert.deepEqual(publicKeyPem(key.publicKeyInfo), pemOf(key));
    }
  });

  it("are verified alike over WebCrypto", async () => {
    for (const algorithm of Object.keys(HASH_ID) as (keyof typeof HASH_ID)[]) {
      const claims = claimsFor(KEY, algorithm);
      const subject = quoteOver(claims);
      const certificate = testCertificate(KEY, [{ oid: OID.dice, value: taggedEvidence(subject.quote, claims) }]);
      const { ret, keyBinding } = await verifyCertificateAsync(certificate, subject.collateral, {
        ...termsOf(subject),
        crypto: webCrypto(crypto.subtle as unknown as Parameters<typeof webCrypto>[0]),
      });
      assert.deepEqual([ret, keyBinding], [0, verified(certificate, subject).keyBinding]);
    }
  });

  it("with several quotes are judged by the standard extension, and the others are named", () => {
    const claims = claimsFor(KEY);
    const subject = quoteOver(claims);
    const legacy = { oid: OID.gramine, value: quoteOver(KEY.publicKeyInfo).quote };
    const dice = { oid: OID.dice, value: taggedEvidence(subject.quote, claims) };
    const result = verified(testCertificate(KEY, [legacy, dice]), subject);
    assert.deepEqual([result.ret, result.embedded?.oid, result.embedded?.others], [0, OID.dice, [OID.gramine]]);
    // A standard extension that fails is not rescued by an older one.
    const broken = { oid: OID.dice, value: taggedEvidence(subject.quote, claimsFor(OTHER_KEY)) };
    assert.equal(verified(testCertificate(KEY, [legacy, broken]), subject).status, "STATUS_CERTIFICATE_KEY_NOT_BOUND");
  });
});

describe("certificates whose quote is not theirs", () => {
  it("claims about another key, though the quote is over them", () => {
    const claims = claimsFor(OTHER_KEY);
    const subject = quoteOver(claims);
    const value = taggedEvidence(subject.quote, claims);
    const result = verified(testCertificate(KEY, [{ oid: OID.dice, value }]), subject);
    assert.match(result.keyBinding?.found ?? "", /is not this key's/);
  });

  it("claims about this key, but the quote is over others", () => {
    const subject = quoteOver(claimsFor(OTHER_KEY));
    const value = taggedEvidence(subject.quote, claimsFor(KEY));
    const result = verified(testCertificate(KEY, [{ oid: OID.dice, value }]), subject);
    assert.match(result.keyBinding?.found ?? "", /SHA-256 of the claims is/);
  });

  it("Open Enclave claims that are this key's PEM and something more, or none at all", () => {
    for (const claims of [concatBytes(pemOf(KEY), Uint8Array.of(0)), pemOf(KEY).subarray(0, -1), new Uint8Array(0)]) {
      const subject = quoteOver(claims);
      const value = openEnclaveEvidence(concatBytes(subject.quote, claims));
      const result = verified(testCertificate(KEY, [{ oid: OID.openEnclaveEvidence[1], value }]), subject);
      assert.match(result.keyBinding?.found ?? "", /not the public key's PEM/);
    }
  });

  it("SHA-512 claims where the crypto provider has none are not taken for granted", () => {
    const claims = claimsFor(KEY, "sha512");
    const subject = quoteOver(claims);
    const certificate = testCertificate(KEY, [{ oid: OID.dice, value: taggedEvidence(subject.quote, claims) }]);
    const { sha512: _, ...crypto } = nodeCrypto;
    const result = verifyCertificate(certificate, subject.collateral, { ...termsOf(subject), crypto });
    assert.deepEqual([result.keyBinding?.bound, result.ret], [false, 0xe001]);
  });

  it("a quote that is not genuine stays so, whatever the key", () => {
    const subject = quoteOver(KEY.publicKeyInfo);
    const value = subject.quote.slice();
    value[100] = (value[100] as number) ^ 1;
    const result = verified(testCertificate(KEY, [{ oid: OID.gramine, value }]), subject);
    assert.deepEqual([result.status, result.keyBinding?.bound], ["STATUS_INVALID_QUOTE_SIGNATURE", true]);
  });

  it("dates that are over only warn: TLS looks at them", () => {
    const subject = quoteOver(KEY.publicKeyInfo);
    const certificate = testCertificate(KEY, [{ oid: OID.gramine, value: subject.quote }]);
    const late = new Date("2060-01-01T00:00:00Z");
    const result = verifyCertificate(certificate, subject.collateral, { ...termsOf(subject), now: late });
    assert.ok(result.warnings.includes("the certificate with the quote is not valid at this time"));
  });
});

describe("what is no certificate with a quote", () => {
  const subject = quoteOver(KEY.publicKeyInfo);

  it("is not verified, and nothing is thrown", () => {
    for (const bytes of [
      new Uint8Array(0),
      Uint8Array.of(0x30, 0),
      subject.quote,
      subject.rootCertificate,
      testCertificate(KEY, []),
      new TextEncoder().encode("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
      new Uint8Array(2 << 20).fill(0x30),
    ]) {
      const { retName, result, steps } = verified(bytes, subject);
      assert.deepEqual([retName, result, steps.length], ["QUOTE_FORMAT_UNSUPPORTED", "UNSPECIFIED", 1]);
      assert.deepEqual([steps[0]?.name, steps[0]?.outcome], ["certificate", "failed"]);
    }
  });

  it("throws for wrong use, as verifyQuote does", () => {
    const certificate = testCertificate(KEY, [{ oid: OID.gramine, value: subject.quote }]);
    assert.throws(() => verifyCertificate(certificate, {} as never, termsOf(subject)), VerifyError);
  });
});
