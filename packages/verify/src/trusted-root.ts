import { fromHex } from "@confcom/sgx";
import { VerifyError } from "./errors.ts";
import { Rejection } from "./status.ts";
import { parseAnyCertificate } from "./x509/certificate.ts";
import { decodePemCertificates } from "./x509/pem.ts";

/** Intel's SGX root public key, 65 bytes (spec: DCAP §8). */
export const INTEL_SGX_ROOT_KEY: Uint8Array = fromHex(
  "040ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5" +
    "67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394",
);

/** Checks that trusted roots are 65-byte points. Throws VerifyError `TRUSTED_ROOT`. */
export function checkTrustedRoots(roots: readonly Uint8Array[]): void {
  for (const root of roots) {
    if (!(root instanceof Uint8Array) || root.length !== 65 || root[0] !== 4) {
      throw new VerifyError("TRUSTED_ROOT", "a trusted root is 65 bytes: 04, x, y");
    }
  }
}

/**
 * The public key of a root certificate, PEM (its first certificate) or DER, as `trustedRoots` wants it. Only the key is
 * taken: dates and names of the certificate do not matter. Throws VerifyError `CERTIFICATE` or `TRUSTED_ROOT`.
 */
export function trustedRootFromCertificate(certificate: string | Uint8Array): Uint8Array {
  const bytes = typeof certificate === "string" ? new TextEncoder().encode(certificate) : certificate;
  const der = bytes[0] === 0x30 ? bytes : decodePemCertificates(bytes)?.[0];
  if (der === undefined) throw new VerifyError("CERTIFICATE", "neither PEM nor DER of a certificate");
  try {
    const { publicKey } = parseAnyCertificate(der);
    checkTrustedRoots([publicKey]);
    return publicKey.slice();
  } catch (error) {
    if (error instanceof Rejection) {
      throw new VerifyError("CERTIFICATE", error.message, { cause: error });
    }
    throw error;
  }
}
