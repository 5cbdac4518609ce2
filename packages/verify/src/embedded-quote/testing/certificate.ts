import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { DER_TAG, derBoolean, derElement, derInteger, derOctetString, derOid, derSequence } from "@confcom/sgx/der";

export type KeyKind = "P-256" | "P-384" | "RSA";

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Uint8Array;
}

export function testKey(kind: KeyKind): TestKey {
  const { privateKey, publicKey } =
    kind === "RSA"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: kind });
  return { privateKey, publicKey, publicKeyInfo: new Uint8Array(publicKey.export({ type: "spki", format: "der" })) };
}

export interface TestExtension {
  readonly oid: string;
  readonly value: Uint8Array;
  /** Written out even if false, as some TLS libraries do. */
  readonly critical?: boolean;
}

const ascii = (text: string) => new TextEncoder().encode(text);

function name(commonName: string): Uint8Array {
  const attribute = derSequence(derOid("2.5.4.3"), derElement(DER_TAG.UTF8_STRING, ascii(commonName)));
  return derSequence(derElement(DER_TAG.SET, attribute));
}

function extension({ oid, value, critical }: TestExtension): Uint8Array {
  return derSequence(derOid(oid), ...(critical === undefined ? [] : [derBoolean(critical)]), derOctetString(value));
}

/** A self-signed certificate, as a TLS server in an enclave makes one; valid 2020 to 2049. */
export function testCertificate(key: TestKey, extensions: readonly TestExtension[]): Uint8Array {
  const algorithm =
    key.privateKey.asymmetricKeyType === "rsa"
      ? derSequence(derOid("1.2.840.113549.1.1.11"), derElement(DER_TAG.NULL))
      : derSequence(derOid("1.2.840.10045.4.3.2"));
  const time = (text: string) => derElement(DER_TAG.UTC_TIME, ascii(text));
  const toBeSigned = derSequence(
    derElement(0xa0, derInteger(2)),
    derInteger(1),
    algorithm,
    name("RATLS"),
    derSequence(time("200101000000Z"), time("491231235959Z")),
    name("RATLS"),
    key.publicKeyInfo,
    ...(extensions.length === 0 ? [] : [derElement(0xa3, derSequence(...extensions.map(extension)))]),
  );
  const signature = sign("sha256", toBeSigned, key.privateKey);
  return derSequence(toBeSigned, algorithm, derElement(DER_TAG.BIT_STRING, Uint8Array.of(0), signature));
}
