import { type Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";

export interface BoundedRequest {
  readonly url: URL;
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Keeps connections; for https it also holds the trusted certificates. */
  readonly agent?: Agent;
  /** From the start to the last byte, ms. */
  readonly timeoutMs: number;
  /** Size limit of the response body, bytes. */
  readonly sizeLimit: number;
  readonly signal?: AbortSignal;
}

export interface BoundedResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** One HTTP exchange with a deadline and a size limit; redirects are not followed. Rejects with what went wrong. */
export function boundedRequest(asked: BoundedRequest): Promise<BoundedResponse> {
  const send = asked.url.protocol === "https:" ? httpsRequest : httpRequest;
  const deadline = AbortSignal.timeout(asked.timeoutMs);
  const signal = asked.signal === undefined ? deadline : AbortSignal.any([asked.signal, deadline]);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(deadline.aborted ? new Error(`no answer within ${asked.timeoutMs} ms`, { cause: error }) : error);
    const request = send(asked.url, {
      method: asked.method,
      signal,
      ...(asked.agent === undefined ? {} : { agent: asked.agent }),
      headers: {
        ...asked.headers,
        ...(asked.body === undefined ? {} : { "content-length": String(Buffer.byteLength(asked.body)) }),
      },
    });
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      response.on("error", fail);
      response.on("data", (chunk: Uint8Array) => {
        size += chunk.length;
        if (size > asked.sizeLimit) request.destroy(new Error(`the answer is larger than ${asked.sizeLimit} bytes`));
        else chunks.push(chunk);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on("aborted", () => fail(new Error("the connection was closed in the middle of the answer")));
    });
    request.end(asked.body);
  });
}
