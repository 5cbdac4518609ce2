import { type QvlStatus, Rejection } from "../status.ts";

/**
 * Why a document is refused: it cannot be read; it is not signed under a trusted root; its issuer was revoked; its time is
 * over (or has not begun).
 */
export type RefusalReason = "malformed" | "untrusted" | "revoked" | "expired";

/** A document that must not be used. */
export class DocumentRefusal extends Error {
  readonly reason: RefusalReason;
  /** The reference verifier's name for it, where it has one. */
  readonly status: QvlStatus | undefined;

  constructor(reason: RefusalReason, detail: string, status?: QvlStatus) {
    super(detail);
    this.name = "DocumentRefusal";
    this.reason = reason;
    this.status = status;
  }
}

export function malformed(detail: string): never {
  throw new DocumentRefusal("malformed", detail);
}

export function untrusted(detail: string): never {
  throw new DocumentRefusal("untrusted", detail);
}

/** The parsed input, or its refusal as one of its form. */
export function readable<T>(parsed: T | Rejection): T {
  if (parsed instanceof Rejection) throw new DocumentRefusal("malformed", parsed.message, parsed.status);
  return parsed;
}

/** What a verification step's rejection is to the reader of a document. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof Rejection)) return error;
  const { status, message } = error;
  if (status.endsWith("_REVOKED")) return new DocumentRefusal("revoked", message, status);
  if (status.endsWith("_EXPIRED")) return new DocumentRefusal("expired", message, status);
  return new DocumentRefusal(/FORMAT|EXTENSIONS/.test(status) ? "malformed" : "untrusted", message, status);
}
