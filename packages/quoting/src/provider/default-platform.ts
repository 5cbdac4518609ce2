import { randomBytes } from "node:crypto";
import { AesmClient, type QuotingPlatform } from "@confcom/aesm";
import { nodeFileSystem, StateDirectory, type StateWarning } from "../state/index.ts";

/** Where `confcom quote-helper` keeps its platform too: both modes then quote with the same key. */
export const DEFAULT_STATE_DIRECTORY = "/var/lib/confcom";

/**
 * The software platform of a state directory, on this machine's clock, randomness and file system: the edge at which an
 * application that names nothing gets them. Everything else in this package has them passed in.
 */
export async function openDefaultPlatform(stateDirectory: string, warn: StateWarning): Promise<QuotingPlatform> {
  const { openSoftwarePlatform } = await import("../software/software-platform.ts");
  return openSoftwarePlatform({
    state: StateDirectory.open(stateDirectory, nodeFileSystem, warn),
    now: () => new Date(),
    random: (size) => new Uint8Array(randomBytes(size)),
    warn,
  });
}

/** How long a quote helper that is away is waited for, ms: an update leaves a gap of at most 3 s. */
export const DEFAULT_RETRY_FOR_MS = 10_000;

/**
 * The quote helper at the path where every AESM client looks. For `retryForMs` of each call its absence is ridden out
 * (0: not at all).
 */
export function connectToQuoteHelper(retryForMs: number): AesmClient {
  if (retryForMs === 0) return new AesmClient({ connectAttempts: 1 });
  const random = () => randomBytes(4).readUInt32LE() / 2 ** 32;
  return new AesmClient({ timeoutMs: Math.max(15_000, retryForMs), retry: { forMs: retryForMs, random } });
}
