import { contextTag, DER_TAG, DerError, DerReader } from "@confcom/sgx/der";
import { BUDGETS } from "../budgets.ts";
import { Rejection } from "../status.ts";
import {
  type Certificate,
  type Extension,
  magnitude,
  readAlgorithm,
  readExtensions,
  readName,
  type Signed,
} from "./certificate.ts";
import { decodeEcdsaSignature } from "./ecdsa-signature.ts";
import type { DistinguishedName } from "./name.ts";

const CRL_NUMBER = 20;
const AUTHORITY_KEY_IDENTIFIER = 35;
/** RFC 5280 allows 20. */
const MAX_SERIAL_BYTES = 64;

/** A certificate revocation list (RFC 5280 §5.1). */
export interface Crl extends Signed {
  readonly issuer: DistinguishedName;
  /** Seconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** The CRL Number; -1 if it is negative or over 64 bits. */
  readonly number: number;
  readonly hasAuthorityKeyIdentifier: boolean;
  /** Serial numbers of the revoked certificates as text: one character for each byte of the magnitude. */
  readonly revoked: ReadonlySet<string>;
}

function serialKey(serialNumber: Uint8Array): string {
  return String.fromCharCode.apply(null, serialNumber as unknown as number[]);
}

function readRevoked(reader: DerReader): Set<string> {
  const revoked = new Set<string>();
  reader.open(DER_TAG.SEQUENCE);
  while (!reader.done) {
    reader.open(DER_TAG.SEQUENCE);
    const serial = magnitude(reader.integer());
    if (serial.length > MAX_SERIAL_BYTES)
      throw new DerError("DER_INTEGER", reader.header, "a serial number over 64 bytes");
    revoked.add(serialKey(serial));
    reader.time();
    if (!reader.done) readExtensions(reader);
    reader.close();
  }
  reader.close();
  return revoked;
}

function readCrlNumber(extensions: readonly Extension[]): number {
  const values = extensions.filter(({ arc }) => arc === CRL_NUMBER);
  const [extension] = values;
  if (extension === undefined || values.length !== 1) {
    throw new Rejection("STATUS_SGX_CRL_UNSUPPORTED_FORMAT", "a CRL has no CRL Number, or several");
  }
  const reader = new DerReader(extension.value);
  const integer = reader.integer();
  reader.finish();
  if ((integer[0] as number) >= 0x80 || integer.length > 8) return -1;
  return integer.reduce((value, byte) => value * 256 + byte, 0);
}

function readCrl(der: Uint8Array): Crl {
  const reader = new DerReader(der, BUDGETS.crlDer);
  reader.open(DER_TAG.SEQUENCE);
  reader.open(DER_TAG.SEQUENCE);
  const tbsAt = reader.header;
  if (reader.peek() === DER_TAG.INTEGER) reader.integer();
  const tbsAlgorithm = readAlgorithm(reader);
  const issuer = readName(reader);
  const thisUpdate = reader.time();
  const nextUpdate = reader.time();
  const revoked = reader.peek() === DER_TAG.SEQUENCE ? readRevoked(reader) : new Set<string>();
  let extensions: Extension[] = [];
  if (reader.peek() === contextTag(0)) {
    reader.open(contextTag(0));
    extensions = readExtensions(reader);
    reader.close();
  }
  reader.close();
  const signedBytes = reader.since(tbsAt);
  const algorithm = readAlgorithm(reader);
  reader.bitString();
  const signature = decodeEcdsaSignature(der, reader.start + 1, reader.stop);
  reader.close();
  reader.finish();
  return {
    signedBytes,
    // Unlike a certificate, a CRL must say in both places that it is signed with the algorithm that signed it.
    signature: signature === "unverifiable" || !(tbsAlgorithm && algorithm) ? undefined : signature,
    issuer,
    thisUpdate,
    nextUpdate,
    number: readCrlNumber(extensions),
    hasAuthorityKeyIdentifier: extensions.some(({ arc }) => arc === AUTHORITY_KEY_IDENTIFIER),
    revoked,
  };
}

/** Parses a CRL. Throws Rejection `STATUS_SGX_CRL_UNSUPPORTED_FORMAT`. */
export function parseCrl(der: Uint8Array): Crl {
  try {
    return readCrl(der);
  } catch (error) {
    if (error instanceof DerError) {
      throw new Rejection("STATUS_SGX_CRL_UNSUPPORTED_FORMAT", `a CRL is not valid DER: ${error.message}`);
    }
    throw error;
  }
}

export function isRevoked(crl: Crl, certificate: Certificate): boolean {
  const { serialNumber } = certificate;
  // No CRL with a longer one was read: see readRevoked.
  if (crl.revoked.size === 0 || serialNumber.length > MAX_SERIAL_BYTES) return false;
  return crl.revoked.has(serialKey(serialNumber));
}

/** A CRL counts as expired outside its whole validity, so before it begins as well (spec: DCAP §10 B). */
export function isCrlExpired(crl: Crl, date: number): boolean {
  return date > crl.nextUpdate || date < crl.thisUpdate;
}
