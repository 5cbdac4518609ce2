import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { concatBytes } from "@confcom/sgx";
import { DER_TAG, derElement, derOid, derSequence } from "@confcom/sgx/der";
import { pemText } from "@confcom/verify/testing";
import { issueTestCertificate, type TestKey, testSerialNumber } from "./test-certificate.ts";

/** What a TLS server on loopback needs, and what its client must trust. All PEM. */
export interface TestTls {
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
}

interface RealKey extends TestKey {
  readonly privateKey: KeyObject;
}

/** TLS needs a private key that a library can hold, so this one is made by chance. */
function newKey(): RealKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = derSequence(derOid("1.2.840.10045.4.3.2"));
  return {
    privateKey,
    point: Uint8Array.from(publicKey.export({ type: "spki", format: "der" }).subarray(-65)),
    signDer(toBeSigned) {
      const signature = sign("sha256", toBeSigned, privateKey);
      return derSequence(
        toBeSigned,
        algorithm,
        derElement(DER_TAG.BIT_STRING, concatBytes(Uint8Array.of(0), signature)),
      );
    },
  };
}

/** A certificate for 127.0.0.1 and localhost, valid by the real clock, under a CA of its own. */
export function testTls(name = "TLS"): TestTls {
  const authority = { commonName: `Confcom Test ${name} CA`, key: newKey() };
  const server = newKey();
  const common = {
    issuer: authority,
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
    crlUrl: "http://confcom.invalid/tls.crl",
  };
  const ca = issueTestCertificate({
    ...common,
    commonName: authority.commonName,
    key: authority.key,
    serialNumber: testSerialNumber(`${name} CA`),
    isCa: true,
  });
  const host = derElement(0x82, new TextEncoder().encode("localhost"));
  const address = derElement(0x87, Uint8Array.of(127, 0, 0, 1));
  const certificate = issueTestCertificate({
    ...common,
    commonName: `Confcom Test ${name} server`,
    key: server,
    serialNumber: testSerialNumber(`${name} server`),
    isCa: false,
    further: [{ oid: "2.5.29.17", value: derSequence(host, address) }],
  });
  return {
    key: server.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: pemText(certificate),
    ca: pemText(ca),
  };
}
