import type { Step } from "../crypto.ts";
import { Rejection } from "../status.ts";
import type { Certificate } from "../x509/certificate.ts";
import { COMMON_NAME } from "../x509/chain.ts";
import { isSignedBy } from "./signatures.ts";

/** The chain's root by its name. Throws Rejection `STATUS_SGX_ROOT_CA_MISSING`. */
export function rootByName(root: Certificate | undefined): Certificate {
  if (root === undefined)
    throw new Rejection("STATUS_SGX_ROOT_CA_MISSING", "no certificate of the chain is self-issued");
  if (!root.subject.commonName.includes(COMMON_NAME.root)) {
    throw new Rejection(
      "STATUS_SGX_ROOT_CA_MISSING",
      `the root is named "${root.subject.commonName}", which does not contain "${COMMON_NAME.root}"`,
    );
  }
  return root;
}

/** Checks that a root signed itself. Throws Rejection `STATUS_SGX_ROOT_CA_INVALID_ISSUER`. */
export function* checkSelfSigned(root: Certificate): Step<void> {
  if (!root.issuer.equals(root.subject) || !(yield* isSignedBy(root, root))) {
    throw new Rejection("STATUS_SGX_ROOT_CA_INVALID_ISSUER", "the root certificate did not sign itself");
  }
}
