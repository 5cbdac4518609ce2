import { bytesEqual } from "@confcom/sgx";
import { contextTag, DER_TAG, DerError, DerReader, derOid, derSequence, oidFromText } from "@confcom/sgx/der";
import { BUDGETS } from "../budgets.ts";
import type { P256Key } from "../crypto.ts";
import { Rejection } from "../status.ts";
import { decodeEcdsaSignature } from "./ecdsa-signature.ts";
import { DistinguishedName } from "./name.ts";

/** Content bytes of the identifiers this verifier looks for. */
const OID = {
  ecdsaWithSha256: oidFromText("1.2.840.10045.4.3.2"),
  sgxExtension: oidFromText("1.2.840.113741.1.13.1"),
} as const;

/** Last byte of id-ce (2.5.29.n) of the five extensions that every certificate must have (spec: DCAP §8). */
const REQUIRED_EXTENSIONS: Readonly<Record<number, string>> = {
  35: "authority key identifier",
  31: "CRL distribution points",
  14: "subject key identifier",
  15: "key usage",
  19: "basic constraints",
};

/** An extension (RFC 5280 §4.1). Views of its parts are made when asked for: few are, and a view is dear. */
export class Extension {
  readonly critical: boolean;
  /** The n of 2.5.29.n, where the standard's own extensions are; 0 for every other identifier. */
  readonly arc: number;
  readonly #der: Uint8Array;
  readonly #oidStart: number;
  readonly #oidStop: number;
  readonly #valueStart: number;
  readonly #valueStop: number;
  #oid: Uint8Array | undefined;
  #value: Uint8Array | undefined;

  /** Reads one element of a SEQUENCE OF Extension; `critical` appears only when true. */
  constructor(reader: DerReader) {
    const der = reader.bytes;
    reader.open(DER_TAG.SEQUENCE);
    reader.skipOid();
    const { start, stop } = reader;
    this.critical = reader.peek() === DER_TAG.BOOLEAN;
    if (this.critical && !reader.boolean())
      throw new DerError("DER_BOOLEAN", reader.header, "a default value is encoded");
    reader.element(DER_TAG.OCTET_STRING);
    this.arc = stop - start === 3 && der[start] === 0x55 && der[start + 1] === 0x1d ? (der[start + 2] as number) : 0;
    this.#der = der;
    this.#oidStart = start;
    this.#oidStop = stop;
    this.#valueStart = reader.start;
    this.#valueStop = reader.stop;
    reader.close();
  }

  /** Content bytes of the object identifier. */
  get oid(): Uint8Array {
    this.#oid ??= this.#der.subarray(this.#oidStart, this.#oidStop);
    return this.#oid;
  }

  /** The DER inside the extension's OCTET STRING. */
  get value(): Uint8Array {
    this.#value ??= this.#der.subarray(this.#valueStart, this.#valueStop);
    return this.#value;
  }

  hasOid(content: Uint8Array): boolean {
    const size = content.length;
    if (this.#oidStop - this.#oidStart !== size) return false;
    for (let i = 0; i < size; i++) if (this.#der[this.#oidStart + i] !== content[i]) return false;
    return true;
  }
}

/** Something with a signature, and what was found when it was last checked, so that it need not be checked again. */
export interface Signed {
  readonly signedBytes: Uint8Array;
  /** 64 bytes, or undefined if it can be no P-256 signature. */
  readonly signature: Uint8Array | undefined;
  checked?: { readonly publicKey: Uint8Array; readonly valid: boolean };
}

/** An X.509 certificate (RFC 5280 §4.1). Byte fields are views of `der`. */
export interface Certificate extends Signed {
  readonly der: Uint8Array;
  /** Magnitude of the serial number without leading zeros; empty for 0. */
  readonly serialNumber: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Content of the subject public key's BIT STRING: 65 bytes for P-256. */
  readonly publicKey: Uint8Array;
  /** The signature as it stands in the certificate. */
  readonly signatureDer: Uint8Array;
  readonly extensions: readonly Extension[];
  /** Whether both algorithm fields say ecdsa-with-SHA256, without parameters. */
  readonly ecdsaWithSha256: boolean;
  /** The public key as the crypto provider holds it, once asked for; null if it is no P-256 point. */
  key?: P256Key | null;
  /** 48 bytes: SHA-384 of the public key, once asked for. */
  keyId?: Uint8Array;
}

/** A certificate whose extensions are not the required ones: the chain decides what that is called. */
export class MissingExtension extends Error {}

/** Reads an AlgorithmIdentifier and whether it is ecdsa-with-SHA256. */
export function readAlgorithm(reader: DerReader): boolean {
  reader.open(DER_TAG.SEQUENCE);
  let known = reader.oidIs(OID.ecdsaWithSha256);
  while (!reader.done) {
    reader.skip();
    known = false;
  }
  reader.close();
  return known;
}

/** AlgorithmIdentifier of a key on P-256 (RFC 5480 §2.1): a key that says it is anything else is none that could be used. */
const P256_KEY_ALGORITHM = derSequence(derOid("1.2.840.10045.2.1"), derOid("1.2.840.10045.3.1.7"));

/** No identifier: for those that are only checked. */
const NONE = new Uint8Array(0);

/**
 * Reads a Name: checked here, decoded when someone asks for a part of it. A name that is among `known`, byte for byte, is
 * taken from there and decoded once; another one is added.
 */
export function readName(reader: DerReader, known: DistinguishedName[] = []): DistinguishedName {
  reader.open(DER_TAG.SEQUENCE);
  const at = reader.header;
  while (!reader.done) {
    reader.open(DER_TAG.SET);
    do {
      reader.open(DER_TAG.SEQUENCE);
      reader.oidIs(NONE);
      reader.skip();
      reader.close();
    } while (!reader.done);
    reader.close();
  }
  reader.close();
  const encoded = reader.since(at);
  // A CRL may have a million elements; a name must stay one that can be read again and shown to a person.
  if (encoded.length > BUDGETS.nameBytes) throw new DerError("DER_BUDGET", at, `a name of ${encoded.length} bytes`);
  for (const name of known) if (bytesEqual(name.encoded, encoded)) return name;
  const name = new DistinguishedName(encoded);
  known.push(name);
  return name;
}

export function readExtensions(reader: DerReader): Extension[] {
  const extensions: Extension[] = [];
  reader.open(DER_TAG.SEQUENCE);
  while (!reader.done) extensions.push(new Extension(reader));
  reader.close();
  return extensions;
}

export function magnitude(integer: Uint8Array): Uint8Array {
  if ((integer[0] as number) < 0x80) return integer[0] === 0 ? integer.subarray(1) : integer;
  // A negative serial number is compared by its absolute value, as OpenSSL stores it.
  const out = Uint8Array.from(integer, (byte) => byte ^ 0xff);
  for (let i = out.length - 1; i >= 0; i--) {
    out[i] = ((out[i] as number) + 1) & 0xff;
    if (out[i] !== 0) break;
  }
  return out[0] === 0 ? out.subarray(1) : out;
}

function checkRequired(extensions: readonly Extension[]): void {
  let found = 0;
  for (const { arc } of extensions) {
    switch (arc) {
      case 35:
        found |= 1;
        break;
      case 31:
        found |= 2;
        break;
      case 14:
        found |= 4;
        break;
      case 15:
        found |= 8;
        break;
      case 19:
        found |= 16;
    }
  }
  if (found === 31) return;
  const present = extensions.map(({ arc }) => arc);
  const missing = Object.entries(REQUIRED_EXTENSIONS).filter(([arc]) => !present.includes(Number(arc)));
  throw new MissingExtension(`a certificate lacks: ${missing.map(([, name]) => name).join(", ")}`);
}

function readCertificate(der: Uint8Array, names: DistinguishedName[], anyKey: boolean): Certificate {
  const reader = new DerReader(der, BUDGETS.certificateDer);
  reader.open(DER_TAG.SEQUENCE);
  reader.open(DER_TAG.SEQUENCE);
  const tbsAt = reader.header;
  if (reader.peek() === contextTag(0)) {
    reader.open(contextTag(0));
    reader.integer();
    reader.close();
  }
  const serialNumber = magnitude(reader.integer());
  const tbsAlgorithm = readAlgorithm(reader);
  const issuer = readName(reader, names);
  reader.open(DER_TAG.SEQUENCE);
  const notBefore = reader.time();
  const notAfter = reader.time();
  reader.close();
  const subject = readName(reader, names);
  reader.open(DER_TAG.SEQUENCE);
  reader.element(DER_TAG.SEQUENCE);
  const keyOnP256 = bytesEqual(reader.encoded(), P256_KEY_ALGORITHM);
  const publicKey = reader.bitString();
  reader.close();
  // issuerUniqueID and subjectUniqueID: obsolete, allowed, not looked at.
  while (reader.peek() === 0x81 || reader.peek() === 0x82) reader.skip();
  let extensions: Extension[] = [];
  if (reader.peek() === contextTag(3)) {
    reader.open(contextTag(3));
    extensions = readExtensions(reader);
    reader.close();
  }
  reader.close();
  const signedBytes = reader.since(tbsAt);
  const algorithm = readAlgorithm(reader);
  const signatureDer = reader.bitString();
  reader.close();
  reader.finish();
  if (!keyOnP256 && !anyKey)
    throw new Rejection("STATUS_UNSUPPORTED_CERT_FORMAT", "a certificate's public key is not on P-256");
  // After the BIT STRING's count of unused bits.
  const signature = decodeEcdsaSignature(der, reader.start + 1, reader.stop);
  if (signature === undefined)
    throw new Rejection("STATUS_UNSUPPORTED_CERT_FORMAT", "a certificate's signature is not ECDSA");
  return {
    der,
    signedBytes,
    signature: signature === "unverifiable" ? undefined : signature,
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    signatureDer,
    extensions,
    ecdsaWithSha256: tbsAlgorithm && algorithm,
  };
}

function readStrictly(der: Uint8Array, names: DistinguishedName[], anyKey = false): Certificate {
  try {
    return readCertificate(der, names, anyKey);
  } catch (error) {
    if (error instanceof DerError) {
      throw new Rejection("STATUS_UNSUPPORTED_CERT_FORMAT", `a certificate is not valid DER: ${error.message}`);
    }
    throw error;
  }
}

/** Parses one certificate, whatever its extensions. Throws Rejection `STATUS_UNSUPPORTED_CERT_FORMAT`. */
export function parseAnyCertificate(der: Uint8Array): Certificate {
  return readStrictly(der, []);
}

/**
 * Parses one certificate, whatever its extensions and its key: for what it says, never for what it signs. Throws Rejection
 * `STATUS_UNSUPPORTED_CERT_FORMAT`.
 */
export function parseCertificateOfAnyKey(der: Uint8Array): Certificate {
  return readStrictly(der, [], true);
}

/**
 * Parses one certificate of the PCK hierarchy. Throws Rejection `STATUS_UNSUPPORTED_CERT_FORMAT`, or
 * {@link MissingExtension} if only that is wrong.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  return parseRelatedCertificate(der, []);
}

/** {@link parseCertificate} for certificates that share names: see {@link readName}. */
export function parseRelatedCertificate(der: Uint8Array, names: DistinguishedName[]): Certificate {
  const certificate = readStrictly(der, names);
  checkRequired(certificate.extensions);
  return certificate;
}

/** The value of the certificate's SGX extension, if it has one. */
export function sgxExtensionOf(certificate: Certificate): Uint8Array | undefined {
  return certificate.extensions.find((extension) => extension.hasOid(OID.sgxExtension))?.value;
}
