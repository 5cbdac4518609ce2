import type { Authority, AuthorityCertificate } from "./authority-certificate.ts";

/** What the replicas agree on: the content of the Secret. */
export interface AuthorityState {
  /** Every replica serves under it. */
  readonly current: Authority;
  /** Waits in the caBundle until every API server knows it. */
  readonly next?: Authority;
  /** Stay in the caBundle until no replica serves under them any more; newest first. */
  readonly previous: readonly AuthorityCertificate[];
}

/** How many former authorities are kept; with more, no rotation begins before some are dropped. */
export const PREVIOUS_LIMIT = 4;

/** All that clients have to trust, the one in use first. */
export function trustedBy({ current, next, previous }: AuthorityState): readonly AuthorityCertificate[] {
  return [current, ...(next === undefined ? [] : [next]), ...previous];
}

/** What of an authority everybody may know. */
export function withoutKey(authority: AuthorityCertificate): AuthorityCertificate {
  const { certificate, fingerprint, serialNumber, notBefore, notAfter } = authority;
  return { certificate, fingerprint, serialNumber, notBefore, notAfter };
}
