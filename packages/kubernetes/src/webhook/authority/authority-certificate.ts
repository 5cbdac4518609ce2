import { createPrivateKey, X509Certificate } from "node:crypto";
import type { CertifiedKey } from "../../tls-authority/index.ts";

/** What is known of an authority's certificate; nothing in it is secret. */
export interface AuthorityCertificate {
  readonly certificate: string;
  /** SHA-256 of the DER, lower-case hex: by this two certificates are the same. */
  readonly fingerprint: string;
  readonly serialNumber: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** An authority that can issue. */
export interface Authority extends AuthorityCertificate, CertifiedKey {}

/** Bytes of one certificate as PEM; ours have some 700. */
const CERTIFICATE_LIMIT = 8192;

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,8192}-----END CERTIFICATE-----/g;

/** Throws Error that says what is wrong with `pem`, without quoting it. */
export function readAuthorityCertificate(pem: string): AuthorityCertificate {
  if (pem.length > CERTIFICATE_LIMIT) throw new Error(`is larger than ${CERTIFICATE_LIMIT} bytes`);
  const certificate = parse(pem);
  if (!certificate.ca) throw new Error("is not the certificate of an authority");
  return {
    certificate: certificate.toString(),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    serialNumber: certificate.serialNumber.toLowerCase(),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
}

/** Throws Error as above, also for a key that is no P-256 key or not the certificate's. */
export function readAuthority(certificatePem: string, privateKey: string): Authority {
  const known = readAuthorityCertificate(certificatePem);
  const key = readKey(privateKey);
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new Error("has a private key that is no P-256 key");
  }
  if (!parse(certificatePem).checkPrivateKey(key)) throw new Error("has the private key of another certificate");
  return { ...known, privateKey };
}

/**
 * The authorities in a bundle of PEM blocks, each once, at most `limit`. Undefined for text that holds anything but
 * such certificates, or more of them.
 */
export function readBundle(pem: string, limit: number): readonly AuthorityCertificate[] | undefined {
  if (pem.length > limit * CERTIFICATE_LIMIT) return undefined;
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length > limit || pem.replace(BLOCK, "").trim() !== "") return undefined;
  try {
    const read = blocks.map(readAuthorityCertificate);
    return [...new Map(read.map((one) => [one.fingerprint, one])).values()];
  } catch {
    return undefined;
  }
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error("is no certificate");
  }
}

/** What the crypto library says about a key may repeat some of it. */
function readKey(pem: string) {
  if (pem.length > CERTIFICATE_LIMIT) throw new Error("has a private key that is too large");
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error("has no readable private key");
  }
}
