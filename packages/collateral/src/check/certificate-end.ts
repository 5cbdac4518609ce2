import { contextTag, DER_TAG, DerReader } from "@confcom/sgx/der";

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g;
/** Chains whose end is remembered: a handful are in use, each beneath thousands of certificates. */
const MAX_CHAINS = 32;
const chainEnds = new Map<string, number>();

/**
 * When a certificate ends, or one of its issuers does before it: milliseconds since 1970. PEM, checked before. What cannot be
 * read has ended.
 */
export function certificateEnd(certificate: string, issuerChain: string): number {
  return Math.min(firstEnd(certificate), chainEnd(issuerChain));
}

function chainEnd(issuerChain: string): number {
  const known = chainEnds.get(issuerChain);
  if (known !== undefined) return known;
  if (chainEnds.size >= MAX_CHAINS) chainEnds.clear();
  const end = firstEnd(issuerChain);
  chainEnds.set(issuerChain, end);
  return end;
}

function firstEnd(pem: string): number {
  let end = Number.POSITIVE_INFINITY;
  for (const [, base64 = ""] of pem.matchAll(PEM_CERTIFICATE)) end = Math.min(end, notAfter(base64));
  return end === Number.POSITIVE_INFINITY ? 0 : end;
}

/** Only what stands before it is read: every look-up of a certificate that has no built response comes by here. */
function notAfter(base64: string): number {
  const der = new DerReader(Buffer.from(base64, "base64"));
  try {
    der.open(DER_TAG.SEQUENCE);
    der.open(DER_TAG.SEQUENCE);
    if (der.peek() === contextTag(0)) der.skip();
    // Serial number, signature algorithm, issuer.
    for (let field = 0; field < 3; field++) der.skip();
    der.open(DER_TAG.SEQUENCE);
    der.time();
    return der.time() * 1000;
  } catch {
    return 0;
  }
}
