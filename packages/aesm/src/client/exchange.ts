import { createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type AesmOperationName, SgxStatus } from "@confcom/sgx";
import { AesmError } from "../errors.ts";
import { FRAME_HEADER_SIZE, FrameAssembler } from "../framing.ts";
import { requireSocketPath } from "../socket-path.ts";

export interface ExchangeOptions {
  readonly socketPath: string;
  readonly operation: AesmOperationName;
  /** Largest reply body taken, in bytes. */
  readonly maxResponse: number;
  /** Milliseconds for everything: connecting, waiting between attempts, the reply. */
  readonly timeoutMs: number;
  /** Connection attempts while nobody listens; at least 1. */
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
}

/** First wait between two attempts to connect; it doubles each time. */
const FIRST_BACKOFF_MS = 50;

/** A server that is starting, restarting or has a full backlog; the request was not seen by anybody. */
const NOT_LISTENING = new Set(["ECONNREFUSED", "ENOENT", "EAGAIN"]);

/** The socket's mode, a directory's, or a security policy. */
const DENIED = new Set(["EACCES", "EPERM"]);

/** Sends one frame and returns the body of the reply (spec: AESM §2). Failures are AesmError with the status of §5.3. */
export async function exchange(frame: Uint8Array, options: ExchangeOptions): Promise<Uint8Array> {
  const { operation } = options;
  requireSocketPath(options.socketPath, { operation, status: SgxStatus.ERROR_SERVICE_UNAVAILABLE });
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await exchangeOnce(frame, options, signal);
      } catch (error) {
        if (!isAbsent(error) || attempt >= options.attempts) throw error;
        await delay(FIRST_BACKOFF_MS * 2 ** (attempt - 1), undefined, { signal });
      }
    }
  } catch (error) {
    if (options.signal?.aborted === true) {
      throw new AesmError("REQUEST_CANCELLED", `${options.operation} was cancelled by the caller`, {
        operation: options.operation,
        cause: options.signal.reason,
      });
    }
    if (deadline.aborted) {
      throw new AesmError(
        "SERVICE_TIMEOUT",
        `${options.operation}: no answer from ${options.socketPath} within ${options.timeoutMs} ms; look at the service's log`,
        { operation: options.operation, status: SgxStatus.ERROR_SERVICE_TIMEOUT, cause: error },
      );
    }
    throw error;
  }
}

function exchangeOnce(frame: Uint8Array, options: ExchangeOptions, signal: AbortSignal): Promise<Uint8Array> {
  const { operation, socketPath } = options;
  return new Promise((resolve, reject) => {
    let connected = false;
    const reply = new FrameAssembler(options.maxResponse);
    const socket = createConnection({ path: socketPath, signal });
    const finish = (outcome: Uint8Array | Error): void => {
      socket.destroy();
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const closedEarly = (cause?: unknown): AesmError =>
      new AesmError(
        "SERVICE_CLOSED",
        `${operation}: the service closed the connection after ${reply.received} bytes of its reply`,
        { operation, status: SgxStatus.ERROR_UNEXPECTED, cause },
      );
    socket.on("connect", () => {
      connected = true;
      socket.write(frame);
    });
    socket.on("data", (chunk: Buffer) => {
      reply.push(chunk);
      if (reply.oversized) {
        const message = `${operation}: the announced reply is larger than ${options.maxResponse} bytes`;
        finish(new AesmError("RESPONSE_TOO_LARGE", message, { operation, status: SgxStatus.ERROR_UNEXPECTED }));
      } else if (reply.complete) finish(reply.frame().subarray(FRAME_HEADER_SIZE));
    });
    socket.on("end", () => finish(closedEarly()));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) finish(error);
      else if (connected) finish(closedEarly(error));
      else finish(unreachable(socketPath, operation, error));
    });
    socket.on("close", () => finish(closedEarly()));
  });
}

/**
 * Nobody listened, so nobody saw the request. Only that may pass by itself; a permission or a wrong kind of file does
 * not.
 */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof AesmError) || error.code !== "SERVICE_UNREACHABLE") return false;
  return NOT_LISTENING.has(codeOf(error.cause));
}

function unreachable(path: string, operation: AesmOperationName, error: NodeJS.ErrnoException): AesmError {
  const details = { operation, status: SgxStatus.ERROR_SERVICE_UNAVAILABLE, cause: error };
  const reason = codeOf(error);
  const failed = `${operation}: cannot connect to ${path}`;
  if (DENIED.has(reason)) {
    const need = "connecting needs write permission on the socket and search permission on every directory above it";
    const message = `${failed}: permission denied (${reason}); ${need}: run as a user who has them, or make the socket 0666`;
    return new AesmError("SERVICE_UNREACHABLE", message, details);
  }
  return new AesmError(
    NOT_LISTENING.has(reason) ? "SERVICE_UNREACHABLE" : "SOCKET_PATH",
    `${failed} (${reason}); is the quote helper running, and its directory mounted?`,
    details,
  );
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
