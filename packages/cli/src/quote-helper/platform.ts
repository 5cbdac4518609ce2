import type { StateWarning } from "@confcom/quoting";
import { openSoftwarePlatform, type SoftwarePlatform } from "@confcom/quoting/software";
import { recordedCertification } from "./provisioning/certifying-service.ts";
import { openExistingState, systemRandom } from "./state.ts";

/** The software platform of a state directory that a quote helper made, with the authority that certified it last. */
export async function openExistingPlatform(stateDirectory: string, warn: StateWarning): Promise<SoftwarePlatform> {
  const state = openExistingState(stateDirectory, warn);
  return openSoftwarePlatform({
    state,
    now: () => new Date(),
    random: systemRandom,
    warn,
    ...(await recordedCertification(state, warn)).options,
  });
}
