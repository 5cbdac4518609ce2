import type { IncomingMessage } from "node:http";
import type { Clock } from "../../clock.ts";
import type { BodyRoom } from "./body-room.ts";

export interface BodyLimits {
  /** Of one body. */
  readonly bodyBytes: number;
  /** From the first header to the last byte of the body, ms. */
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

/** Gives the body's bytes back. */
export type Release = () => void;

/** Of a body's first memory, bytes: most reviews fit. */
const FIRST_BYTES = 8_192;
/** By which it grows, up to what was announced: what is outgrown stays until the garbage collection. */
const GROWTH = 8;

/**
 * Reads a request's body within its limits into one piece of memory that grows: a body of many small pieces holds no
 * more than one of few. The request has a Content-Length. Rejects with {@link BodyError}. `release` must be called when the body is done with.
 */
export function requestBody(
  request: IncomingMessage,
  limits: BodyLimits,
  room: BodyRoom,
  timers: Timers,
): Promise<{ readonly body: Buffer; readonly release: Release }> {
  const most = Number(request.headers["content-length"]);
  if (most > limits.bodyBytes) {
    return Promise.reject(new BodyError(413, `the body is larger than ${limits.bodyBytes} bytes`));
  }
  return new Promise((resolve, reject) => {
    const timer = timers.setTimeout(
      () => fail(new BodyError(408, `no whole body within ${limits.bodyTimeoutMs} ms`)),
      limits.bodyTimeoutMs,
    );
    const holding = room.enter(request.socket.remoteAddress ?? "", () =>
      fail(new BodyError(503, "too much is being read: the largest bodies of whoever sends the most are given up")),
    );
    const end = (): void => {
      timers.clearTimeout(timer);
      request.off("close", cut);
    };
    const fail = (error: BodyError): void => {
      end();
      request.removeAllListeners("data");
      holding.leave();
      reject(error);
    };
    const cut = (): void => fail(new BodyError(undefined, "the connection ended in the middle of the body"));
    // An aborted request says "error" too, where somebody listens.
    request.on("error", () => {});
    request.once("close", cut);

    let memory = Buffer.alloc(0);
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      const needed = size + chunk.length;
      if (needed > limits.bodyBytes) {
        return fail(new BodyError(413, `the body is larger than ${limits.bodyBytes} bytes`));
      }
      if (needed > memory.length) {
        const bytes = Math.max(needed, Math.min(most, Math.max(FIRST_BYTES, GROWTH * memory.length)));
        if (!holding.grow(bytes)) return;
        const larger = Buffer.allocUnsafeSlow(bytes);
        memory.copy(larger, 0, 0, size);
        memory = larger;
      }
      chunk.copy(memory, size);
      size = needed;
    });
    request.once("end", () => {
      end();
      resolve({ body: memory.subarray(0, size), release: () => holding.leave() });
    });
  });
}
