import { createHash } from "node:crypto";
import { concatBytes } from "@confcom/sgx";
import {
  contextTag,
  DER_TAG,
  derBoolean,
  derElement,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
} from "@confcom/sgx/der";
import type { SigningKey } from "@confcom/verify/testing";

/** Certificates and CRLs of the profile of spec: DCAP §8, as DER: for tests, which want them at once and with any content. */

const ECDSA_WITH_SHA256 = derSequence(derOid("1.2.840.10045.4.3.2"));
const P256_KEY = derSequence(derOid("1.2.840.10045.2.1"), derOid("1.2.840.10045.3.1.7"));

/** A key that is made of its name, or any other that can do the same. */
export type TestKey = Pick<SigningKey, "point" | "signDer">;

export interface TestIssuer {
  readonly commonName: string;
  readonly key: TestKey;
}

export interface TestCertificate {
  readonly issuer: TestIssuer;
  readonly commonName: string;
  readonly key: TestKey;
  /** Milliseconds since 1970, here and below. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** 20 bytes. */
  readonly serialNumber: Uint8Array;
  readonly crlUrl: string;
  readonly isCa: boolean;
  readonly further?: readonly { readonly oid: string; readonly value: Uint8Array }[];
}

export interface TestCrl {
  readonly issuer: TestIssuer;
  readonly number: number;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers, 20 bytes each. */
  readonly revoked: readonly Uint8Array[];
}

/** 20 bytes, positive, made of a text. */
export function testSerialNumber(text: string): Uint8Array {
  const serial = Uint8Array.from(createHash("sha256").update(text).digest().subarray(0, 20));
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  return serial;
}

function text(tag: number, value: string): Uint8Array {
  return derElement(tag, new TextEncoder().encode(value));
}

/** CN, O, L, ST, C. */
export function testName(commonName: string): Uint8Array {
  const part = (oid: string, value: string, tag: number = DER_TAG.UTF8_STRING) =>
    derElement(DER_TAG.SET, derSequence(derOid(oid), text(tag, value)));
  return derSequence(
    part("2.5.4.3", commonName),
    part("2.5.4.10", "confcom test"),
    part("2.5.4.7", "none"),
    part("2.5.4.8", "none"),
    part("2.5.4.6", "ZZ", DER_TAG.PRINTABLE_STRING),
  );
}

/** UTCTime to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+Z/g, "");
  return Number(digits.slice(0, 4)) < 2050
    ? text(DER_TAG.UTC_TIME, `${digits.slice(2)}Z`)
    : text(DER_TAG.GENERALIZED_TIME, `${digits}Z`);
}

function bitString(bytes: Uint8Array, unused = 0): Uint8Array {
  return derElement(DER_TAG.BIT_STRING, Uint8Array.of(unused), bytes);
}

function keyIdentifier(key: TestKey): Uint8Array {
  return Uint8Array.from(createHash("sha1").update(key.point).digest());
}

function extension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctetString(value));
}

function authorityKeyIdentifier(key: TestKey): Uint8Array {
  return extension("2.5.29.35", derSequence(derElement(0x80, keyIdentifier(key))));
}

function distributionPoint(url: string): Uint8Array {
  const uri = derElement(0x86, new TextEncoder().encode(url));
  const fullName = derElement(contextTag(0), uri);
  return extension("2.5.29.31", derSequence(derSequence(derElement(contextTag(0), fullName))));
}

/** DER of a certificate. */
export function issueTestCertificate(certificate: TestCertificate): Uint8Array {
  const { issuer, key, isCa } = certificate;
  const extensions = [
    authorityKeyIdentifier(issuer.key),
    distributionPoint(certificate.crlUrl),
    extension("2.5.29.14", derOctetString(keyIdentifier(key))),
    // keyCertSign and cRLSign, or digitalSignature and nonRepudiation.
    extension("2.5.29.15", isCa ? bitString(Uint8Array.of(0x06), 1) : bitString(Uint8Array.of(0xc0), 6), true),
    extension("2.5.29.19", isCa ? derSequence(derBoolean(true), derInteger(1)) : derSequence(), true),
    ...(certificate.further ?? []).map(({ oid, value }) => extension(oid, value)),
  ];
  const toBeSigned = derSequence(
    derElement(contextTag(0), derInteger(2)),
    derElement(DER_TAG.INTEGER, certificate.serialNumber),
    ECDSA_WITH_SHA256,
    testName(issuer.commonName),
    derSequence(time(certificate.notBefore), time(certificate.notAfter)),
    testName(certificate.commonName),
    derSequence(P256_KEY, bitString(key.point)),
    derElement(contextTag(3), derSequence(...extensions)),
  );
  return issuer.key.signDer(toBeSigned);
}

/** DER of a CRL, version 2, with CRL Number and AKI. */
export function signTestCrl(crl: TestCrl): Uint8Array {
  const entries = crl.revoked.map((serial) => derSequence(derElement(DER_TAG.INTEGER, serial), time(crl.thisUpdate)));
  const toBeSigned = derSequence(
    derInteger(1),
    ECDSA_WITH_SHA256,
    testName(crl.issuer.commonName),
    time(crl.thisUpdate),
    time(crl.nextUpdate),
    ...(entries.length === 0 ? [] : [derSequence(...entries)]),
    derElement(
      contextTag(0),
      derSequence(authorityKeyIdentifier(crl.issuer.key), extension("2.5.29.20", derInteger(crl.number))),
    ),
  );
  return crl.issuer.key.signDer(toBeSigned);
}

/** The last byte changed: still readable, and its signature wrong. */
export function withWrongSignature(der: Uint8Array): Uint8Array {
  const last = der.length - 1;
  return concatBytes(der.subarray(0, last), Uint8Array.of((der[last] as number) ^ 1));
}
