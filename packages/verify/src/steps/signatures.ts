import { bytesEqual } from "@confcom/sgx";
import { importP256, type P256Key, type Step, verifyP256 } from "../crypto.ts";
import type { Certificate, Signed } from "../x509/certificate.ts";

/** What signatures are checked with: a certificate, or a key that is trusted without one. */
export type KeyHolder = Pick<Certificate, "publicKey" | "key">;

/** The certificate's public key for the crypto provider; undefined if it is no point of P-256. */
export function* publicKeyOf(certificate: KeyHolder): Step<P256Key | undefined> {
  if (certificate.key === undefined) certificate.key = (yield* importP256(certificate.publicKey)) ?? null;
  return certificate.key ?? undefined;
}

/** Whether the certificate's key made this signature. Checked once for each key: the answer stays with the object. */
export function* isSignedBy(signed: Signed, issuer: KeyHolder): Step<boolean> {
  const { checked, signature } = signed;
  if (checked !== undefined && bytesEqual(checked.publicKey, issuer.publicKey)) return checked.valid;
  const key = signature === undefined ? undefined : yield* publicKeyOf(issuer);
  const valid = key !== undefined && signature !== undefined && (yield* verifyP256(key, signed.signedBytes, signature));
  signed.checked = { publicKey: issuer.publicKey, valid };
  return valid;
}
