import { X509Certificate } from "node:crypto";

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
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
  const ends = (pem.match(PEM_CERTIFICATE) ?? []).map((one) => {
    try {
      return new X509Certificate(one).validToDate.getTime();
    } catch {
      return 0;
    }
  });
  return ends.length === 0 ? 0 : Math.min(...ends);
}
