// x509 resolves its classes through decorator metadata, which must be there first.
import "reflect-metadata";
import type { KeyObject } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { RandomBytes } from "../../cpu/fuses.ts";
import { COUNTRY, LOCALITY, ORGANIZATION, STATE_OR_PROVINCE } from "../profile.ts";
import { wholeSecond } from "../timestamps.ts";
import { keyIdentifier, newSerialNumber, subjectPublicKeyInfo } from "./keys.ts";

/** Who signs: the name that the issued certificate or CRL carries as its issuer's, and the key. */
export interface Issuer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

export interface CertificateRequest {
  readonly issuer: Issuer;
  readonly commonName: string;
  /** A P-256 public key as SubjectPublicKeyInfo (DER). */
  readonly publicKey: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly crlUri: string;
  /** A CA's path length; undefined for a certificate that issues nothing. */
  readonly pathLength: number | undefined;
  /** Non-critical extensions after the five that every certificate has: the DER of each value. */
  readonly further?: readonly { readonly oid: string; readonly value: Uint8Array }[];
}

/** Everything here is signed with ECDSA P-256 and SHA-256. */
export const SIGNATURE_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;

/** The key as the certificate library takes it. */
export function webSigningKey(key: KeyObject): CryptoKey {
  return key.toCryptoKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

/** CN, O, L, ST as UTF8String and C as PrintableString, in this order (spec: DCAP §8). */
export function distinguishedName(commonName: string): x509.Name {
  return new x509.Name([
    { CN: [{ utf8String: commonName }] },
    { O: [{ utf8String: ORGANIZATION }] },
    { L: [{ utf8String: LOCALITY }] },
    { ST: [{ utf8String: STATE_OR_PROVINCE }] },
    { C: [{ printableString: COUNTRY }] },
  ]);
}

/**
 * Issues a certificate of the profile of spec: DCAP §8 and returns it as PEM. Extensions in Intel's order: AKI, CRL
 * distribution point, SKI, key usage (critical), basic constraints (critical), then `further`.
 */
export async function issueCertificate(request: CertificateRequest, random: RandomBytes): Promise<string> {
  const { keyCertSign, cRLSign, digitalSignature, nonRepudiation } = x509.KeyUsageFlags;
  const isCa = request.pathLength !== undefined;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(random),
    issuer: distinguishedName(request.issuer.commonName),
    subject: distinguishedName(request.commonName),
    notBefore: wholeSecond(request.notBefore),
    notAfter: wholeSecond(request.notAfter),
    publicKey: Uint8Array.from(request.publicKey),
    signingKey: webSigningKey(request.issuer.privateKey),
    signingAlgorithm: SIGNATURE_ALGORITHM,
    extensions: [
      new x509.AuthorityKeyIdentifierExtension(keyIdentifier(subjectPublicKeyInfo(request.issuer.privateKey))),
      new x509.CRLDistributionPointsExtension([request.crlUri]),
      new x509.SubjectKeyIdentifierExtension(keyIdentifier(request.publicKey)),
      new x509.KeyUsagesExtension(isCa ? keyCertSign | cRLSign : digitalSignature | nonRepudiation, true),
      new x509.BasicConstraintsExtension(isCa, request.pathLength, true),
      ...(request.further ?? []).map(({ oid, value }) => new x509.Extension(oid, false, Uint8Array.from(value))),
    ],
  });
  return certificatePem(new Uint8Array(certificate.rawData));
}

/** RFC 7468: lines of 64 characters, and a line feed at the end, as in the chains that the PCS serves. */
function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
