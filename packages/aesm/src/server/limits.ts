import { readFileSync } from "node:fs";

/** Every bound of the server. Times in milliseconds, sizes in bytes. */
export interface ServerLimits {
  /** Largest request body, decided on the 4-byte header. */
  readonly maxMessage: number;
  /** Largest `buf_size` of get_quote_ex; above it the answer is 3. */
  readonly maxQuoteBuffer: number;
  /** From accept to the last byte of the request. */
  readonly receiveTimeout: number;
  /** Longest time in which a reader takes nothing. */
  readonly writeTimeout: number;
  /** From the complete request to the answer; Intel's client gives up at 15 s (spec: AESM §7.1). */
  readonly answerTimeout: number;
  /** Open connections of this server; the oldest one that has not sent its request is dropped first. */
  readonly maxConnections: number;
  /** Bytes of incomplete requests held for all connections together. */
  readonly maxReceiving: number;
  /** Requests waiting for an asynchronous platform; one more is answered 18. */
  readonly maxWaiting: number;
  /** Asynchronous platform calls at a time. */
  readonly concurrency: number;
  /** Shortest time between two reports of the same kind. */
  readonly reportInterval: number;
}

/** The limits that hold now. One object is shared by a server's parts, so that a change reaches all of them. */
export interface LimitsInForce {
  current: ServerLimits;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxMessage: 64 * 1024,
  maxQuoteBuffer: 64 * 1024,
  receiveTimeout: 2_000,
  writeTimeout: 2_000,
  answerTimeout: 14_000,
  maxConnections: 4096,
  maxReceiving: 8 * 1024 * 1024,
  maxWaiting: 64,
  concurrency: 1,
  reportInterval: 10_000,
};

/** Descriptors that are not connections: files, event loops, worker threads, the platform's own. */
const RESERVED_FILES = 128;

/** This process's soft limit of open files, or undefined where /proc does not say. */
export function openFileLimit(limitsFile = "/proc/self/limits"): number | undefined {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync(limitsFile, "latin1"))?.[1];
    if (soft === undefined || soft === "unlimited") return undefined;
    return Number(soft);
  } catch {
    return undefined;
  }
}

/**
 * The share of one of `loops` event loops: connections, waiting requests and received bytes are divided, so that the
 * process as a whole keeps the limits; connections also stay under the limit of open files.
 */
export function limitsForLoop(limits: ServerLimits, loops: number, openFiles: number | undefined): ServerLimits {
  const files = openFiles === undefined ? limits.maxConnections : Math.max(openFiles - RESERVED_FILES, 16);
  return {
    ...limits,
    maxConnections: Math.max(1, Math.floor(Math.min(limits.maxConnections, files) / loops)),
    maxReceiving: Math.max(limits.maxMessage, Math.floor(limits.maxReceiving / loops)),
    maxWaiting: Math.max(1, Math.floor(limits.maxWaiting / loops)),
  };
}
