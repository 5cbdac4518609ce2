import type { IncomingMessage, ServerResponse } from "node:http";
import { type Admission, type AdmissionOptions, admitPod } from "../admission/index.ts";
import { decodeReview, encodeReview, ReviewError } from "./admission-review.ts";
import { BodyRoom } from "./body-room.ts";
import { moreValuesThan } from "./json-values.ts";
import { BodyError, type BodyLimits, type Release, requestBody, type Timers } from "./request-body.ts";

/** Where the API server calls, by what the namespace wants injected. */
export const ADMISSION_PATHS = { "/mutate/slot": "slot", "/mutate/mount": "mount" } as const;
export type AdmissionPath = keyof typeof ADMISSION_PATHS;

/** How one request ended. */
export type AdmissionResult =
  /** Admitted with or without a change; or not admitted. */
  | "patched"
  | "unchanged"
  | "refused"
  /** No request of an API server: another path, method, type or content. */
  | "malformed"
  /** Too late, too large or cut off in the middle. */
  | "unread"
  /** Its sender had more under way than there is room for. */
  | "overloaded"
  /** A defect of confcom: answered 500, on which the API server admits the pod as it is. */
  | "failed";

export interface AdmissionAnswered {
  /** Undefined for every other path: labels of metrics are not a stranger's to make. */
  readonly path: AdmissionPath | undefined;
  readonly result: AdmissionResult;
  /** From the request's headers to the answer handed to the socket, ms. */
  readonly milliseconds: number;
  /** Of the admission; 0 where there was none. */
  readonly warnings: number;
}

export interface AdmissionLimits extends BodyLimits {
  /** Of all bodies that are being read. */
  readonly totalBytes: number;
  /** Of one body, as JSON counts them: each takes some hundred bytes of memory. */
  readonly values: number;
}

/**
 * The API server takes objects of at most 3 MiB, and an AdmissionReview says one of them once. It waits 5 s for an answer.
 * A pod of 400 containers with 25 variables each, and the managedFields of all of that, has fewer values.
 */
export const ADMISSION_LIMITS: AdmissionLimits = {
  bodyBytes: 4 << 20,
  bodyTimeoutMs: 5_000,
  totalBytes: 8 << 20,
  values: 100_000,
};

export interface AdmissionHandlerOptions {
  readonly admission: Omit<AdmissionOptions, "injection">;
  readonly timers: Timers;
  /** Milliseconds of a clock that never goes back, with fractions. */
  readonly elapsed: () => number;
  readonly limits?: Partial<AdmissionLimits>;
  /** Called once for every request, after its answer. What it throws is ignored. */
  readonly onAnswered?: (answered: AdmissionAnswered) => void;
  /** Told of defects, for the log; never of a pod's content. */
  readonly onDefect?: (error: unknown) => void;
  /** While true, each answer ends its connection: API servers then go to another replica. */
  readonly draining?: () => boolean;
}

export type AdmissionHandler = (request: IncomingMessage, response: ServerResponse) => void;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly result: AdmissionResult;
  readonly warnings: number;
  /** What is left of the body is not read: the connection cannot be used again. */
  readonly unread?: boolean;
}

/** Answers the API server's AdmissionReviews. Needs nothing but the request; never throws. */
export function createAdmissionHandler(options: AdmissionHandlerOptions): AdmissionHandler {
  const limits = { ...ADMISSION_LIMITS, ...options.limits };
  const room = new BodyRoom(limits.totalBytes);
  return (request, response) => {
    const began = options.elapsed();
    const path = admissionPath(request.url);
    // A response to a connection that has gone says so.
    response.on("error", () => {});
    const answered = (result: AdmissionResult, warnings: number): void => {
      try {
        options.onAnswered?.({ path, result, warnings, milliseconds: options.elapsed() - began });
      } catch {}
    };
    answer(request, path, options, limits, room)
      .then((reply) => {
        send(request, response, reply, options.draining?.() === true);
        answered(reply.result, reply.warnings);
      })
      .catch((error: unknown) => {
        if (error instanceof BodyError && error.status === undefined) return answered("unread", 0);
        response.destroy();
        options.onDefect?.(error);
        answered("failed", 0);
      });
  };
}

function admissionPath(url = ""): AdmissionPath | undefined {
  // The API server adds its timeout as a query.
  const path = url.split("?", 1)[0] ?? "";
  return Object.hasOwn(ADMISSION_PATHS, path) ? (path as AdmissionPath) : undefined;
}

const malformed = (status: number, body: string): Answer => ({
  status,
  body,
  result: "malformed",
  warnings: 0,
  unread: true,
});

async function answer(
  request: IncomingMessage,
  path: AdmissionPath | undefined,
  options: AdmissionHandlerOptions,
  limits: AdmissionLimits,
  room: BodyRoom,
): Promise<Answer> {
  if (path === undefined) return malformed(404, `not found: there are ${Object.keys(ADMISSION_PATHS).join(" and ")}`);
  if (request.method !== "POST") return malformed(405, "POST only");
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = request.headers;
  if (type.split(";", 1)[0]?.trim().toLowerCase() !== "application/json" || encoding !== "identity") {
    return malformed(415, "the body must be application/json, without a content-encoding");
  }
  // API servers always say the length; a body in chunks makes the parser work for each of its bytes.
  if (request.headers["content-length"] === undefined) return malformed(411, "the request must have a content-length");
  let release: Release = () => {};
  try {
    const read = await requestBody(request, limits, room, options.timers);
    release = read.release;
    if (moreValuesThan(limits.values, read.body))
      throw new ReviewError(`the body has more than ${limits.values} values`);
    const { uid, pod } = decodeReview(read.body.toString("utf8"));
    const admission: Admission =
      pod === undefined
        ? { patch: [], warnings: [] }
        : admitPod(pod.object, { ...options.admission, injection: ADMISSION_PATHS[path] });
    const { patch, warnings, refusal } = admission;
    const result = refusal !== undefined ? "refused" : patch.length > 0 ? "patched" : "unchanged";
    return { status: 200, body: encodeReview(uid, admission), result, warnings: warnings.length };
  } catch (error) {
    if (error instanceof ReviewError) return { ...malformed(400, error.message), unread: false };
    if (error instanceof BodyError) {
      if (error.status === undefined) throw error;
      const result = error.status === 503 ? "overloaded" : "unread";
      return { status: error.status, body: error.message, result, warnings: 0, unread: true };
    }
    options.onDefect?.(error);
    const body = "a defect of confcom: this pod was not looked at";
    return { status: 500, body, result: "failed", warnings: 0 };
  } finally {
    release();
  }
}

function send(request: IncomingMessage, response: ServerResponse, reply: Answer, draining: boolean): void {
  const { status, body, unread } = reply;
  const text = status === 200 ? body : `${body}\n`;
  response.writeHead(status, {
    "content-type": status === 200 ? "application/json" : "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "x-content-type-options": "nosniff",
    ...(status === 405 ? { allow: "POST" } : {}),
    ...(unread === true || draining ? { connection: "close" } : {}),
  });
  response.end(text);
  // Takes what was sent already, so that the answer is not lost in a reset; the connection ends with the answer.
  if (unread === true) request.resume();
}
