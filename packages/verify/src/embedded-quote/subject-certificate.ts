import { bytesEqual } from "@confcom/sgx";
import { contextTag, DER_TAG, DerError, DerReader } from "@confcom/sgx/der";
import { BUDGETS } from "../budgets.ts";
import { VerifyError } from "../errors.ts";
import { readAlgorithm, readName } from "../x509/certificate.ts";
import type { DistinguishedName } from "../x509/name.ts";
import { decodePemCertificates } from "../x509/pem.ts";

export interface SubjectExtension {
  /** Content bytes of the object identifier. */
  readonly oid: Uint8Array;
  readonly critical: boolean;
  /** What is inside the extension's OCTET STRING. */
  readonly value: Uint8Array;
}

/**
 * What matters of a certificate whose key a quote vouches for (RFC 5280 §4.1): of any kind, signed with any algorithm by
 * anybody. Byte fields are views.
 */
export interface SubjectCertificate {
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER of the whole SubjectPublicKeyInfo: algorithm and key. */
  readonly publicKeyInfo: Uint8Array;
  readonly extensions: readonly SubjectExtension[];
}

/** A SEQUENCE OF Extension, with room for TLS libraries that write out `critical FALSE`. */
function readExtensions(reader: DerReader): SubjectExtension[] {
  const extensions: SubjectExtension[] = [];
  reader.open(DER_TAG.SEQUENCE);
  while (!reader.done) {
    reader.open(DER_TAG.SEQUENCE);
    const oid = reader.oid();
    const critical = reader.peek() === DER_TAG.BOOLEAN && reader.boolean();
    if (extensions.some((other) => bytesEqual(other.oid, oid))) {
      throw new DerError("DER_OID", reader.header, "an extension is there twice");
    }
    extensions.push({ oid, critical, value: reader.octetString() });
    reader.close();
  }
  reader.close();
  return extensions;
}

function read(der: Uint8Array): SubjectCertificate {
  const reader = new DerReader(der, BUDGETS.certificateDer);
  reader.open(DER_TAG.SEQUENCE);
  reader.open(DER_TAG.SEQUENCE);
  if (reader.peek() === contextTag(0)) {
    reader.open(contextTag(0));
    reader.integer();
    reader.close();
  }
  reader.integer();
  readAlgorithm(reader);
  const issuer = readName(reader);
  reader.open(DER_TAG.SEQUENCE);
  const notBefore = reader.time();
  const notAfter = reader.time();
  reader.close();
  const subject = readName(reader);
  if (reader.skip() !== DER_TAG.SEQUENCE) throw new DerError("DER_TAG", reader.header, "no SubjectPublicKeyInfo");
  const publicKeyInfo = reader.encoded();
  while (reader.peek() === 0x81 || reader.peek() === 0x82) reader.skip();
  let extensions: SubjectExtension[] = [];
  if (reader.peek() === contextTag(3)) {
    reader.open(contextTag(3));
    extensions = readExtensions(reader);
    reader.close();
  }
  reader.close();
  readAlgorithm(reader);
  reader.bitString();
  reader.close();
  reader.finish();
  return { subject, issuer, notBefore, notAfter, publicKeyInfo, extensions };
}

/**
 * Whether the bytes start as the DER of a certificate: a SEQUENCE whose length takes bytes of its own, as no certificate is
 * shorter. Text never does, though it may start with the same character: "0".
 */
export function startsAsDer(bytes: Uint8Array): boolean {
  const length = bytes[1] ?? 0;
  return bytes[0] === DER_TAG.SEQUENCE && length > 0x80 && length <= 0x84;
}

/**
 * Reads a certificate, DER or PEM (the first one of a chain). Its signature is not checked. Throws VerifyError
 * `CERTIFICATE`.
 */
export function readSubjectCertificate(bytes: Uint8Array): SubjectCertificate {
  if (bytes.length > BUDGETS.quoteBytes) {
    throw new VerifyError("CERTIFICATE", `a certificate of ${bytes.length} bytes is over the limit`);
  }
  const der = startsAsDer(bytes) ? bytes : decodePemCertificates(bytes)?.[0];
  if (der === undefined) throw new VerifyError("CERTIFICATE", "neither PEM nor DER of a certificate");
  try {
    return read(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new VerifyError("CERTIFICATE", `the certificate is not valid DER: ${error.message}`, { cause: error });
  }
}
