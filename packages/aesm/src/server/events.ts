import { type AesmOperationName, aesmErrorName } from "@confcom/sgx";
import type { LimitsInForce } from "./limits.ts";

/** Why a connection ended without an answer. */
export type DropReason =
  | "malformed"
  | "message-too-large"
  | "receive-timeout"
  | "too-many-connections"
  | "too-many-bytes"
  | "write-stalled"
  | "caller-vanished";

/** What the server tells its operator. `suppressed` counts the same kind of report since the last one given. */
export type ServerEvent =
  | {
      readonly kind: "refused";
      readonly operation: AesmOperationName;
      readonly code: number;
      readonly name: string;
      /** What was really wrong. */
      readonly cause: string;
      readonly nextStep: string;
      /** Set when something threw that should not have. */
      readonly error?: unknown;
      readonly suppressed: number;
    }
  | { readonly kind: "dropped"; readonly reason: DropReason; readonly cause: string; readonly suppressed: number }
  | { readonly kind: "server-error"; readonly cause: string; readonly error: unknown; readonly suppressed: number };

export type ServerLog = (event: ServerEvent) => void;

const DROP_CAUSES: Readonly<Record<DropReason, string>> = {
  malformed: "the request is not an AESM message or names no known operation; Intel's service is silent too",
  "message-too-large": "the announced request is larger than the limit",
  "receive-timeout": "the request did not arrive whole in time",
  "too-many-connections": "the connection limit is reached; the oldest idle connection makes room",
  "too-many-bytes": "incomplete requests hold too much memory; the oldest makes room",
  "write-stalled": "the caller does not read its reply",
  "caller-vanished": "the caller closed before its turn came; its work is not done",
};

/** Reports at most one event of a kind per interval, so that a flood of bad requests is not a flood of log lines. */
export class EventReporter {
  readonly #log: ServerLog | undefined;
  readonly #limits: LimitsInForce;
  readonly #now: () => number;
  readonly #seen = new Map<string, { at: number; suppressed: number }>();

  constructor(log: ServerLog | undefined, limits: LimitsInForce, now: () => number) {
    this.#log = log;
    this.#limits = limits;
    this.#now = now;
  }

  refused(operation: AesmOperationName, code: number, cause: string, nextStep: string, error?: unknown): void {
    // The cause may hold a caller's numbers; it is no part of the key, which keeps the table small.
    const suppressed = this.#admit(`${operation} ${code}`);
    if (suppressed === undefined) return;
    const event = { kind: "refused" as const, operation, code, name: aesmErrorName(code), cause, nextStep, suppressed };
    this.#log?.(error === undefined ? event : { ...event, error });
  }

  dropped(reason: DropReason): void {
    const suppressed = this.#admit(reason);
    if (suppressed !== undefined) this.#log?.({ kind: "dropped", reason, cause: DROP_CAUSES[reason], suppressed });
  }

  serverError(cause: string, error: unknown): void {
    const suppressed = this.#admit(`server-error ${cause}`);
    if (suppressed !== undefined) this.#log?.({ kind: "server-error", cause, error, suppressed });
  }

  /** How many were suppressed since the last report of this kind, or undefined when this one is suppressed as well. */
  #admit(key: string): number | undefined {
    if (this.#log === undefined) return undefined;
    const now = this.#now();
    const last = this.#seen.get(key);
    if (last !== undefined && now - last.at < this.#limits.current.reportInterval) {
      last.suppressed++;
      return undefined;
    }
    this.#seen.set(key, { at: now, suppressed: 0 });
    return last?.suppressed ?? 0;
  }
}
