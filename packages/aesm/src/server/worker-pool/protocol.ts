import { isAesmErrorCode, isQuote3ErrorCode } from "@confcom/sgx";
import { QuotingError } from "../../platform.ts";

// What main thread and workers say to each other. `State`, `Request` and `Reply` are the caller's: structured clones.

export type ToWorker =
  | { readonly kind: "state"; readonly id: number; readonly state: unknown }
  | { readonly kind: "reply"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: CarriedError }
  | { readonly kind: "drain"; readonly deadlineMs: number };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "accepted"; readonly id: number }
  | { readonly kind: "refused"; readonly id: number; readonly error: CarriedError }
  | { readonly kind: "request"; readonly id: number; readonly request: unknown }
  | { readonly kind: "event"; readonly event: unknown }
  | { readonly kind: "drained" };

/** What a worker gets at its start, next to the caller's own `workerData`. */
export interface WorkerStart {
  readonly index: number;
  readonly count: number;
  readonly fd: number;
  readonly state: unknown;
  readonly counters: SharedArrayBuffer;
  readonly data: unknown;
  readonly bells: SharedArrayBuffer;
}

/** A failure in a form that survives the way between threads: class and codes would be lost. */
export interface CarriedError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly aesm?: number;
  readonly quote3?: number;
  readonly nextStep?: string;
}

export function carryError(error: unknown): CarriedError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined };
  const { message, stack } = error;
  if (!(error instanceof QuotingError)) return { message, stack };
  return { message, stack, aesm: error.aesm, quote3: error.quote3, nextStep: error.nextStep };
}

/** The error again: a QuotingError if it was one. */
export function restoreError(carried: CarriedError): Error {
  const { aesm, quote3, nextStep } = carried;
  const quoting =
    aesm !== undefined &&
    quote3 !== undefined &&
    nextStep !== undefined &&
    isAesmErrorCode(aesm) &&
    isQuote3ErrorCode(quote3)
      ? new QuotingError(carried.message, { aesm, quote3, nextStep })
      : new Error(carried.message);
  if (carried.stack !== undefined) quoting.stack = carried.stack;
  return quoting;
}
