import { setTimeout as delay } from "node:timers/promises";
import { Aesm, type AesmOperationName } from "@confcom/sgx";
import { AesmError } from "../errors.ts";
import { isAbsent } from "./exchange.ts";

/**
 * Whether and how long a call is made again while the service is being replaced. Nothing is lost by asking twice: the
 * quote operations change nothing that a second call would change again, and what was not connected to saw nothing.
 */
export interface RetryPolicy {
  /** Milliseconds after a call's begin in which it is made again; its timeout bounds all attempts together. */
  readonly forMs: number;
  /** From 0 up to 1, 1 excluded: spreads clients that lost the same service at the same moment. */
  readonly random: () => number;
  /** Longest first wait, ms; it doubles each time. Default 50. */
  readonly firstWaitMs?: number;
  /** Longest wait of all, ms. Default 500. */
  readonly longestWaitMs?: number;
  /** Milliseconds of a monotonic clock. Default: the process's. */
  readonly now?: () => number;
  /** Rejects when the signal is aborted. Default: a timer. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface RetriedCall {
  readonly operation: AesmOperationName;
  /** Milliseconds for everything: all attempts and the waits between them. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Operations that may be asked again although the service may have served them already (spec: AESM §6). */
const REPEATABLE: ReadonlySet<AesmOperationName> = new Set([
  "init_quote_ex",
  "get_quote_size_ex",
  "get_quote_ex",
  "select_att_key_id",
  "get_supported_att_key_id_num",
  "get_supported_att_key_ids",
]);

/** Answers of a service that is on its way out or overwhelmed. Not 30: it says that an operation is not offered at all. */
const PASSING_REFUSALS: ReadonlySet<number | undefined> = new Set([Aesm.SERVICE_STOPPED, Aesm.BUSY]);

/** A service that closes this often in a row without an answer does not like the request, rather than being replaced. */
const MAX_CLOSES = 3;

/**
 * Calls `attempt` with the milliseconds it has, again and again as the policy says. Fails as the last attempt did, and
 * says how often it was tried; `REQUEST_CANCELLED` when the caller's signal came during a wait.
 */
export async function retrying<T>(
  policy: RetryPolicy,
  call: RetriedCall,
  attempt: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const { now = () => performance.now(), sleep = timer, random, firstWaitMs = 50, longestWaitMs = 500 } = policy;
  const start = now();
  let closes = 0;
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt(Math.max(1, Math.ceil(call.timeoutMs - (now() - start))));
    } catch (error) {
      if (!(error instanceof AesmError)) throw error;
      closes = error.code === "SERVICE_CLOSED" ? closes + 1 : 0;
      const longest = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts - 1, 20));
      const wait = longest * (0.5 + 0.5 * random());
      const elapsed = now() - start;
      const inTime = elapsed + wait < Math.min(policy.forMs, call.timeoutMs);
      if (!mayPass(error, call.operation, closes) || !inTime) throw told(error, attempts, elapsed);
      await sleep(wait, call.signal).catch((cause: unknown) => {
        throw new AesmError("REQUEST_CANCELLED", `${call.operation} was cancelled by the caller`, {
          operation: call.operation,
          cause,
        });
      });
    }
  }
}

function mayPass(error: AesmError, operation: AesmOperationName, closes: number): boolean {
  if (isAbsent(error)) return true;
  if (!REPEATABLE.has(operation)) return false;
  if (error.code === "SERVICE_CLOSED") return closes < MAX_CLOSES;
  return error.code === "SERVICE_REFUSED" && PASSING_REFUSALS.has(error.aesm);
}

function told(error: AesmError, attempts: number, elapsed: number): AesmError {
  if (attempts === 1) return error;
  const { code, operation, aesm, status } = error;
  return new AesmError(code, `${error.message} (tried ${attempts} times in ${Math.round(elapsed)} ms)`, {
    ...(operation === undefined ? {} : { operation }),
    ...(aesm === undefined ? {} : { aesm }),
    ...(status === undefined ? {} : { status }),
    cause: error.cause ?? error,
  });
}

async function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}
