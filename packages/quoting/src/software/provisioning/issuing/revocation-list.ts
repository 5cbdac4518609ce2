// x509 resolves its classes through decorator metadata, which must be there first.
import "reflect-metadata";
import { derInteger } from "@confcom/sgx/der";
import * as x509 from "@peculiar/x509";
import type { RevocationReason, RevokedCertificate } from "../revocation-state.ts";
import { distinguishedName, type Issuer, SIGNATURE_ALGORITHM, webSigningKey } from "./certificate.ts";
import { keyIdentifier, subjectPublicKeyInfo } from "./keys.ts";

const CRL_NUMBER_OID = "2.5.29.20";

/** CRLReason of RFC 5280 §5.3.1. */
const REASON_CODES: Readonly<Record<RevocationReason, x509.X509CrlReason>> = {
  keyCompromise: x509.X509CrlReason.keyCompromise,
  cACompromise: x509.X509CrlReason.cACompromise,
  affiliationChanged: x509.X509CrlReason.affiliationChanged,
  superseded: x509.X509CrlReason.superseded,
  cessationOfOperation: x509.X509CrlReason.cessationOfOperation,
  privilegeWithdrawn: x509.X509CrlReason.privilegeWithdrawn,
};

/** Signs a version 2 CRL with CRL Number and AKI, both of which verifiers demand (spec: DCAP §8). Returns DER. */
export async function signRevocationList(
  issuer: Issuer,
  number: number,
  revoked: readonly RevokedCertificate[],
  thisUpdate: Date,
  nextUpdate: Date,
): Promise<Uint8Array> {
  const list = await x509.X509CrlGenerator.create({
    issuer: distinguishedName(issuer.commonName),
    thisUpdate,
    nextUpdate,
    signingKey: webSigningKey(issuer.privateKey),
    signingAlgorithm: SIGNATURE_ALGORITHM,
    entries: revoked.map(({ serial, date, reason }) => ({
      serialNumber: serial,
      revocationDate: new Date(date),
      reason: REASON_CODES[reason],
    })),
    extensions: [
      new x509.Extension(CRL_NUMBER_OID, false, Uint8Array.from(derInteger(number))),
      new x509.AuthorityKeyIdentifierExtension(keyIdentifier(subjectPublicKeyInfo(issuer.privateKey))),
    ],
  });
  return new Uint8Array(list.rawData);
}
