import { X509Certificate } from "node:crypto";
import { KubernetesError, messageOf } from "../errors.ts";

/** What those who use this cluster's PCCS must have, as its state directory holds it now. */
export interface TrustMaterial {
  /** PEM: the root under which quotes of this cluster stand. */
  readonly rootCertificate: string;
  /** PEM: what the PCCS's TLS certificate is checked with. */
  readonly pccsCa: string;
  /** What platforms register with. Secret: in no report, message or log. */
  readonly userToken: string;
  /** Of the TLS certificate that the PCCS shows. */
  readonly server: { readonly names: readonly string[]; readonly notAfter: Date };
}

/** "SHA-256 AB:CD:...", as people compare certificates; undefined for what is no certificate. */
export function fingerprintOf(pem: string): string | undefined {
  try {
    return `SHA-256 ${new X509Certificate(pem).fingerprint256}`;
  } catch {
    return undefined;
  }
}

const PEM_LIMIT = 64 * 1024;
const USER_TOKEN = /^[\x21-\x7e]{1,4096}$/;

/**
 * Nothing is published that those who read it could not use. Throws KubernetesError `PCCS_STATE_UNUSABLE`, which names
 * what is wrong and not what it holds.
 */
export function checkMaterial({ rootCertificate, pccsCa, userToken }: TrustMaterial): void {
  for (const [what, pem] of [
    ["the root certificate", rootCertificate],
    ["the CA of the PCCS's TLS certificate", pccsCa],
  ] as const) {
    if (pem.length > PEM_LIMIT) throw unusable(`${what} is larger than ${PEM_LIMIT} bytes`);
    try {
      if (!new X509Certificate(pem).ca) throw new Error("it is no CA's");
    } catch (cause) {
      throw unusable(`${what} cannot be used: ${messageOf(cause)}`, cause);
    }
  }
  if (!USER_TOKEN.test(userToken)) throw unusable("the user token is not one line of printable characters");
}

function unusable(message: string, cause?: unknown): KubernetesError {
  return new KubernetesError("PCCS_STATE_UNUSABLE", message, { cause });
}
