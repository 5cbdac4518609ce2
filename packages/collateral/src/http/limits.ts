/**
 * The most bytes that are read of an answer, by what was asked for: several times what real ones have, so that an
 * endless answer costs a known amount of memory and no more.
 */
export const BODY_LIMITS = {
  /** One PEM certificate, or a JSON answer with its chain: about 2 to 6 KiB. */
  certificate: 64 * 1024,
  /** A CRL in any encoding: real ones have some KiB, hexadecimal doubles it. */
  crl: 8 * 1024 * 1024,
  /** TCB info or identity: at most about 100 KiB. */
  json: 4 * 1024 * 1024,
  /** Every certificate of one platform: about 2.5 KiB each. */
  certificates: 4 * 1024 * 1024,
  /** What comes with a status that is not 200: looked at for its reason only. */
  refusal: 64 * 1024,
} as const;

/** All headers of an answer together. Issuer chains come URL-encoded in them, 4 to 5 KiB. */
export const HEADER_LIMIT = 32 * 1024;

/** Requests of one client at a time, those that wait for a connection included. */
export const PENDING_LIMIT = 256;

/** Redirects that are followed, and only on the host that was asked. */
export const REDIRECT_LIMIT = 3;

/** How long each part of an exchange may take, in milliseconds. */
export interface HttpDeadlines {
  /** Until there is a connection, name resolution and TLS included. */
  readonly connectMs: number;
  /** From the connection to the answer's headers. */
  readonly firstByteMs: number;
  /** From the headers to the last byte, however steadily it drips. */
  readonly bodyMs: number;
}

export const DEFAULT_DEADLINES: HttpDeadlines = { connectMs: 5_000, firstByteMs: 10_000, bodyMs: 10_000 };
