import type { IncomingMessage } from "node:http";
import type { Clock } from "../../clock.ts";
import type { ByteBudget, Release } from "./byte-budget.ts";

export interface BodyLimits {
  /** Of one body. */
  readonly bodyBytes: number;
  /** From the first header to the last byte of the body, waiting for room included, ms. */
  readonly bodyTimeoutMs: number;
}

/** Why there is no body: with the status to answer, or without one where nobody is left to answer. */
export class BodyError extends Error {
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string) {
    super(message);
    this.status = status;
  }
}

export type Timers = Pick<Clock, "setTimeout" | "clearTimeout">;

/**
 * Reads a request's body within its limits; nothing is read before there is room for all of it, so that senders wait
 * instead of this process growing. Rejects with {@link BodyError}. `release` must be called when the body is done with.
 */
export function requestBody(
  request: IncomingMessage,
  limits: BodyLimits,
  budget: ByteBudget,
  timers: Timers,
): Promise<{ readonly body: Buffer; readonly release: Release }> {
  const { "content-length": length } = request.headers;
  const announced = length === undefined ? limits.bodyBytes : Number(length);
  if (announced > limits.bodyBytes) {
    return Promise.reject(new BodyError(413, `the body is larger than ${limits.bodyBytes} bytes`));
  }
  return new Promise((resolve, reject) => {
    let release: Release = () => {};
    let stopWaiting: Release | undefined;
    const timer = timers.setTimeout(
      () => fail(new BodyError(408, `no whole body within ${limits.bodyTimeoutMs} ms`)),
      limits.bodyTimeoutMs,
    );
    const end = (): void => {
      timers.clearTimeout(timer);
      request.off("close", cut);
      stopWaiting?.();
    };
    const fail = (error: BodyError): void => {
      end();
      request.removeAllListeners("data");
      release();
      reject(error);
    };
    const cut = (): void => fail(new BodyError(undefined, "the connection ended in the middle of the body"));
    // An aborted request says "error" too, where somebody listens.
    request.on("error", () => {});
    request.once("close", cut);

    stopWaiting = budget.take(announced, (given) => {
      release = given;
      const chunks: Buffer[] = [];
      let size = 0;
      request.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > limits.bodyBytes) fail(new BodyError(413, `the body is larger than ${limits.bodyBytes} bytes`));
        else chunks.push(chunk);
      });
      request.once("end", () => {
        end();
        resolve({ body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size), release });
      });
    });
    if (stopWaiting === undefined) fail(new BodyError(503, "too many requests wait for room"));
  });
}
