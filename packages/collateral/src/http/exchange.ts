import { type Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import { addressOf } from "./address.ts";
import { type HttpPhase, httpFailure } from "./failure.ts";
import { BODY_LIMITS, HEADER_LIMIT, type HttpDeadlines } from "./limits.ts";

/** One request as it goes on the wire. */
export interface Exchange {
  readonly source: string;
  readonly url: URL;
  readonly method: "GET" | "POST" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
  readonly maxBytes: number;
  readonly deadlines: HttpDeadlines;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** By their names in lower case; of a name that came twice, the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A connection that was kept open turned out to be closed before anything came back: the request was not read. */
export class StaleConnection extends Error {}

function headersOf(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    if (values?.[0] !== undefined) headers[name] = values[0];
  }
  return headers;
}

/** A connection that another exchange has opened: `reusedSocket` is not set where this one waited in the agent's queue for it. */
function isOpen(socket: Socket): boolean {
  return (
    !socket.connecting && (socket as TLSSocket & { readonly secureConnecting?: boolean }).secureConnecting !== true
  );
}

/** Whether all of the agent's connections to the host are in use. */
function isQueued(agent: Agent, request: ClientRequest): boolean {
  return Object.values(agent.requests).some((waiting) => (waiting as unknown[] | undefined)?.includes(request));
}

/** Does one exchange: no redirect, no second attempt. Fails with CollateralError, or {@link StaleConnection}. */
export function exchange(options: Exchange, agent: Agent, clock: Clock): Promise<HttpAnswer> {
  const { source, url, deadlines, signal } = options;
  const address = addressOf(url);
  return new Promise((resolve, reject) => {
    let phase: HttpPhase = "connecting";
    let timer: unknown;
    let settled = false;
    let reused = false;

    const settle = (act: () => void) => {
      if (settled) return;
      settled = true;
      clock.clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const fail = (error: unknown) => {
      settle(() => reject(error instanceof StaleConnection ? error : httpFailure(error, phase, address, source)));
      request.destroy();
    };
    const timeout = (what: string, cause?: unknown) =>
      fail(new CollateralError("SOURCE_TIMEOUT", `${source}, ${phase} (${address}): ${what}`, { cause, source }));
    const onAbort = () => timeout("the time for the whole request was over", signal.reason);
    const arm = (next: HttpPhase, ms: number) => {
      phase = next;
      clock.clearTimeout(timer);
      timer = clock.setTimeout(() => timeout(`nothing more within ${ms} ms`), ms);
    };

    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
      method: options.method,
      headers: options.headers,
      agent,
      maxHeaderSize: HEADER_LIMIT,
      setHost: true,
    });
    request.on("error", (error) => {
      const unread = phase !== "reading the answer" && reused;
      const closed = ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "");
      fail(unread && closed ? new StaleConnection("the kept connection was closed", { cause: error }) : error);
    });
    request.on("socket", (socket) => {
      const connected = () => {
        if (!settled && phase === "connecting") arm("waiting for the answer", deadlines.firstByteMs);
      };
      reused = request.reusedSocket || isOpen(socket);
      if (reused) return connected();
      if (!settled) arm("connecting", deadlines.connectMs);
      socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
    });
    request.on("response", (message) => {
      arm("reading the answer", deadlines.bodyMs);
      const status = message.statusCode ?? 0;
      // A refusal is read for its reason only; it needs no more room than that.
      const limit = status === 200 ? options.maxBytes : Math.min(options.maxBytes, BODY_LIMITS.refusal);
      const tooLarge = () =>
        fail(
          new CollateralError("SOURCE_ANSWER", `${source} (${address}): the answer is larger than ${limit} bytes`, {
            source,
            status,
          }),
        );
      if (Number(message.headers["content-length"] ?? 0) > limit) return tooLarge();
      const chunks: Uint8Array[] = [];
      let size = 0;
      message.on("data", (chunk: Uint8Array) => {
        size += chunk.length;
        if (size > limit) tooLarge();
        else chunks.push(chunk);
      });
      message.on("error", fail);
      message.on("end", () =>
        settle(() =>
          resolve({ status, headers: headersOf(message), body: new Uint8Array(Buffer.concat(chunks, size)) }),
        ),
      );
    });

    // Behind others it takes as long as they do: those have deadlines of their own.
    const ahead = isQueued(agent, request) ? deadlines.firstByteMs + deadlines.bodyMs : 0;
    arm("connecting", deadlines.connectMs + ahead);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else request.end(options.body);
  });
}
