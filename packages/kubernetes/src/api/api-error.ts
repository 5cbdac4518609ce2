import { KubernetesError, type KubernetesErrorCode } from "../errors.ts";

/** A call of the API server that did not do what was asked. */
export class ApiError extends KubernetesError {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** What the server asked to wait before the next call, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: KubernetesErrorCode,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(code, message, options.cause === undefined ? {} : { cause: options.cause });
    this.status = options.status ?? 0;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Nobody is to make us wait longer than this, ms. */
const RETRY_AFTER_LIMIT = 300_000;

/** The error that an HTTP status other than 2xx means. `body` is the decoded answer, hopefully a `Status` object. */
export function apiErrorOf(status: number, what: string, body: unknown, retryAfter: string | undefined): ApiError {
  const reason = statusMessage(body);
  const message = `${what}: the API server answered ${status}${reason === "" ? "" : `: ${reason}`}`;
  const seconds = /^\d{1,6}$/.test(retryAfter ?? "") ? Number(retryAfter) : undefined;
  return new ApiError(codeOf(status), message, {
    status,
    ...(seconds === undefined ? {} : { retryAfterMs: Math.min(seconds * 1000, RETRY_AFTER_LIMIT) }),
  });
}

function codeOf(status: number): KubernetesErrorCode {
  if (status === 401) return "API_SERVER_UNAUTHORIZED";
  if (status === 403) return "API_SERVER_FORBIDDEN";
  if (status === 429 || status >= 500) return "API_SERVER_BUSY";
  return "API_SERVER_REFUSED";
}

function statusMessage(body: unknown): string {
  if (typeof body !== "object" || body === null || !("message" in body)) return "";
  return typeof body.message === "string" ? body.message.slice(0, 1024) : "";
}
