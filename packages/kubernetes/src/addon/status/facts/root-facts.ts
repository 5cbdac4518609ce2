import { X509Certificate } from "node:crypto";

/** The root under which this cluster's quotes stand, as published. */
export interface RootFacts {
  /** SHA-256 of the certificate, lower-case hexadecimal; empty where what is published is no certificate. */
  readonly sha256: string;
}

export function certificateSha256(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
  } catch {
    return "";
  }
}
