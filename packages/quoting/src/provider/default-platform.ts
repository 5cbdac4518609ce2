import { randomBytes } from "node:crypto";
import type { QuotingPlatform } from "@confcom/aesm";
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
