import { createHash } from "node:crypto";
import { concatBytes, fromHex } from "@confcom/sgx";
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

// The certificate and CRL profile (spec: DCAP §8) written out as DER by hand, sharing nothing with the issuing code:
// what is issued must be these bytes.

const ECDSA_WITH_SHA256 = derSequence(derOid("1.2.840.10045.4.3.2"));
const ascii = (text: string) => new TextEncoder().encode(text);

export function profileName(commonName: string): Uint8Array {
  const part = (oid: string, tag: number, value: string) =>
    derElement(DER_TAG.SET, derSequence(derOid(oid), derElement(tag, ascii(value))));
  return derSequence(
    part("2.5.4.3", DER_TAG.UTF8_STRING, commonName),
    part("2.5.4.10", DER_TAG.UTF8_STRING, "confcom"),
    part("2.5.4.7", DER_TAG.UTF8_STRING, "none"),
    part("2.5.4.8", DER_TAG.UTF8_STRING, "none"),
    part("2.5.4.6", DER_TAG.PRINTABLE_STRING, "ZZ"),
  );
}

/** `YYMMDDHHMMSSZ`. */
export function utcTime(text: string): Uint8Array {
  return derElement(DER_TAG.UTC_TIME, ascii(text));
}

export function keyId(spki: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash("sha1").update(spki.subarray(-65)).digest());
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctetString(value));
}

function authorityKeyIdentifier(issuerSpki: Uint8Array): Uint8Array {
  return extension("2.5.29.35", false, derSequence(derElement(0x80, keyId(issuerSpki))));
}

export interface ProfileCertificate {
  readonly serial: string;
  readonly issuer: string;
  readonly issuerSpki: Uint8Array;
  readonly subject: string;
  readonly spki: Uint8Array;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly crlUri: string;
  readonly pathLength?: number;
  readonly further?: readonly (readonly [oid: string, value: Uint8Array])[];
}

/** tbsCertificate. */
export function profileCertificate(c: ProfileCertificate): Uint8Array {
  const ca = c.pathLength !== undefined;
  const uri = derElement(0x86, ascii(c.crlUri));
  return derSequence(
    derElement(contextTag(0), derInteger(2)),
    derElement(DER_TAG.INTEGER, fromHex(c.serial)),
    ECDSA_WITH_SHA256,
    profileName(c.issuer),
    derSequence(utcTime(c.notBefore), utcTime(c.notAfter)),
    profileName(c.subject),
    c.spki,
    derElement(
      contextTag(3),
      derSequence(
        authorityKeyIdentifier(c.issuerSpki),
        extension(
          "2.5.29.31",
          false,
          derSequence(derSequence(derElement(contextTag(0), derElement(contextTag(0), uri)))),
        ),
        extension("2.5.29.14", false, derOctetString(keyId(c.spki))),
        // Certificate Sign and CRL Sign, or Digital Signature and Non Repudiation.
        extension("2.5.29.15", true, fromHex(ca ? "03020106" : "030206c0")),
        extension("2.5.29.19", true, ca ? derSequence(derBoolean(true), derInteger(c.pathLength ?? 0)) : derSequence()),
        ...(c.further ?? []).map(([oid, value]) => extension(oid, false, value)),
      ),
    ),
  );
}

export interface ProfileCrl {
  readonly issuer: string;
  readonly issuerSpki: Uint8Array;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly number: number;
  readonly revoked: readonly { readonly serial: string; readonly date: string; readonly reason: number }[];
}

/** tbsCertList. An empty list of revoked certificates is absent. */
export function profileCrl(c: ProfileCrl): Uint8Array {
  const entries = c.revoked.map(({ serial, date, reason }) =>
    derSequence(
      derElement(DER_TAG.INTEGER, fromHex(serial)),
      utcTime(date),
      derSequence(extension("2.5.29.21", false, derElement(DER_TAG.ENUMERATED, Uint8Array.of(reason)))),
    ),
  );
  return derSequence(
    derInteger(1),
    ECDSA_WITH_SHA256,
    profileName(c.issuer),
    utcTime(c.thisUpdate),
    utcTime(c.nextUpdate),
    ...(entries.length > 0 ? [derSequence(...entries)] : []),
    derElement(
      contextTag(0),
      derSequence(extension("2.5.29.20", false, derInteger(c.number)), authorityKeyIdentifier(c.issuerSpki)),
    ),
  );
}

/** The signed part of a certificate or CRL, the signature algorithm, and the signature (DER, in the BIT STRING). */
export function signedParts(der: Uint8Array): { tbs: Uint8Array; algorithm: Uint8Array; signature: Uint8Array } {
  const outer = elementAt(der, 0);
  const tbs = elementAt(der, outer.content);
  const algorithm = elementAt(der, tbs.end);
  const bits = elementAt(der, algorithm.end);
  if (outer.end !== der.length || bits.end !== der.length) throw new Error("bytes are left over");
  return {
    tbs: der.subarray(outer.content, tbs.end),
    algorithm: der.subarray(tbs.end, algorithm.end),
    signature: der.subarray(bits.content + 1),
  };
}

export const SIGNATURE_ALGORITHM_DER: Uint8Array = concatBytes(ECDSA_WITH_SHA256);

function elementAt(der: Uint8Array, at: number): { content: number; end: number } {
  const first = der[at + 1] as number;
  const extra = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < extra; i++) length = length * 256 + (der[at + 2 + i] as number);
  return { content: at + 2 + extra, end: at + 2 + extra + length };
}
