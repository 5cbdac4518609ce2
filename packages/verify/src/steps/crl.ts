import type { Step } from "../crypto.ts";
import { Rejection } from "../status.ts";
import type { Certificate } from "../x509/certificate.ts";
import type { Crl } from "../x509/crl.ts";
import { isSignedBy } from "./signatures.ts";

/** Checks that a CRL was issued by this CA (spec: DCAP §10 B). Throws {@link Rejection}. */
export function* checkCrl(crl: Crl, issuer: Certificate, what: string): Step<void> {
  if (!crl.issuer.printsLike(issuer.subject)) {
    throw new Rejection(
      "STATUS_SGX_CRL_UNKNOWN_ISSUER",
      `${what} was issued by "${crl.issuer.text}", not by "${issuer.subject.text}"`,
    );
  }
  if (!crl.hasAuthorityKeyIdentifier) {
    throw new Rejection("STATUS_SGX_CRL_INVALID_EXTENSIONS", `${what} lacks its authority key identifier`);
  }
  if (!(yield* isSignedBy(crl, issuer))) {
    throw new Rejection("STATUS_SGX_CRL_INVALID_SIGNATURE", `the signature of ${what} is wrong`);
  }
}
