import type { KeyObject } from "node:crypto";
import { x509 } from "./x509.ts";

export interface Validity {
  /** A little before now: the clocks of a cluster's machines differ. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface Content extends Validity {
  readonly serialNumber: string;
  readonly issuer: x509.Name;
  readonly subject: x509.Name;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly extensions: readonly x509.Extension[];
}

const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;

/** A name of one common name; of none, the empty name. */
export function nameOf(commonName: string | undefined): x509.Name {
  return new x509.Name(commonName === undefined ? [] : [{ CN: [{ utf8String: commonName }] }]);
}

/** The certificate as PEM, signed with ECDSA P-256 and SHA-256; times are counted in whole seconds. */
export async function sign(content: Content, signer: KeyObject): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: content.serialNumber,
    issuer: content.issuer,
    subject: content.subject,
    notBefore: wholeSecond(content.notBefore),
    notAfter: wholeSecond(content.notAfter),
    publicKey: Uint8Array.from(content.publicKey),
    signingKey: signer.toCryptoKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]),
    signingAlgorithm: SIGNATURE,
    extensions: [...content.extensions],
  });
  return pem(new Uint8Array(certificate.rawData));
}

function wholeSecond(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / 1000) * 1000);
}

/** RFC 7468: lines of 64 characters, and a line feed at the end. */
function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
