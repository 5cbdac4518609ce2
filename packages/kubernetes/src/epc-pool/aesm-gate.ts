import { AesmClient, AesmError } from "@confcom/aesm";
import type { Clock } from "../clock.ts";
import { KubernetesError } from "../errors.ts";

export interface AesmGateOptions {
  /** The helper's socket as this process sees it. */
  readonly socketPath: string;
  /** How long a container's start waits for the helper; the kubelet itself gives up after 30 s. Milliseconds. */
  readonly patienceMs?: number;
  readonly intervalMs?: number;
  readonly clock: Pick<Clock, "now" | "setTimeout">;
  /** Asks the helper something cheap; rejects when it does not answer. The number of attestation keys by default. */
  readonly ask?: (signal: AbortSignal) => Promise<unknown>;
}

const DEFAULT_PATIENCE_MS = 20_000;
const DEFAULT_INTERVAL_MS = 250;
const ANSWER_MS = 2_000;

/**
 * Waits until this node's quote helper answers. Rejects with `QUOTE_HELPER_UNREACHABLE` whose text says what is missing:
 * it becomes the pod's event. Any answer will do, a refusal too: why no quote is made is for the application to read.
 */
export function aesmGate(options: AesmGateOptions): (signal: AbortSignal) => Promise<void> {
  const { socketPath, clock, patienceMs = DEFAULT_PATIENCE_MS, intervalMs = DEFAULT_INTERVAL_MS } = options;
  const client = new AesmClient({ socketPath, connectAttempts: 1, timeoutMs: ANSWER_MS });
  const ask = options.ask ?? ((signal: AbortSignal) => client.supportedKeyIdCount({ signal }));
  const pause = () => new Promise<void>((resolve) => void clock.setTimeout(resolve, intervalMs));
  return async (signal) => {
    const until = clock.now() + patienceMs;
    for (;;) {
      try {
        await ask(signal);
        return;
      } catch (error) {
        if (error instanceof AesmError && error.code === "SERVICE_REFUSED") return;
        if (signal.aborted || clock.now() + intervalMs > until) throw refusal(socketPath, patienceMs, error);
        await pause();
      }
    }
  };
}

function refusal(socketPath: string, patienceMs: number, cause: unknown): KubernetesError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new KubernetesError(
    "QUOTE_HELPER_UNREACHABLE",
    `the quote helper of this node did not answer at ${socketPath} within ${patienceMs / 1_000} s (${why}): ` +
      "is there a ready pod of the DaemonSet sgx-quote-helper on this node?",
    { cause },
  );
}
