import type { KeyObject } from "node:crypto";
import { DER_TAG, derElement, derInteger, derOctetString, derOid, derSequence } from "@confcom/sgx/der";

/** DER of a SubjectPublicKeyInfo. */
export function publicKeyInfo(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
}

/**
 * A certificate with a gramine RA-TLS extension, whose subject tries to drive a terminal. Nobody looks at its signature,
 * so it has none.
 */
export function certificateWithQuote(publicKey: KeyObject, quote: Uint8Array): Uint8Array {
  const algorithm = derSequence(derOid("1.2.840.10045.4.3.2"));
  const text = (tag: number, value: string) => derElement(tag, new TextEncoder().encode(value));
  const name = derSequence(
    derElement(DER_TAG.SET, derSequence(derOid("2.5.4.3"), text(DER_TAG.UTF8_STRING, "\u001b[31mRATLS"))),
  );
  const extension = derSequence(derOid("1.2.840.113741.1337.6"), derOctetString(quote));
  const toBeSigned = derSequence(
    derElement(0xa0, derInteger(2)),
    derInteger(1),
    algorithm,
    name,
    derSequence(text(DER_TAG.UTC_TIME, "200101000000Z"), text(DER_TAG.UTC_TIME, "491231235959Z")),
    name,
    publicKeyInfo(publicKey),
    derElement(0xa3, derSequence(extension)),
  );
  return derSequence(toBeSigned, algorithm, derElement(DER_TAG.BIT_STRING, Uint8Array.of(0, 1)));
}

export function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
