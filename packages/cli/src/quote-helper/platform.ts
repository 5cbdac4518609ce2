import type { StateWarning } from "@confcom/quoting";
import { openSoftwarePlatform, type SoftwarePlatform } from "@confcom/quoting/software";
import { openExistingState, systemRandom } from "./state.ts";

/** The software platform of a state directory that a quote helper made. */
export function openExistingPlatform(stateDirectory: string, warn: StateWarning): Promise<SoftwarePlatform> {
  return openSoftwarePlatform({
    state: openExistingState(stateDirectory, warn),
    now: () => new Date(),
    random: systemRandom,
    warn,
  });
}
