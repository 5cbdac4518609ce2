import type { FoundState } from "../state/addon-state.ts";
import { findState } from "../state/state-store.ts";
import type { LifeCycleOptions } from "./life-cycle-options.ts";
import { patientAccess } from "./patient-access.ts";

export interface FirstLook<Options> {
  /** As given, with an access that waits for an API server that goes away. */
  readonly options: Options;
  /** Of the clock, for all waiting. */
  readonly deadline: number;
  /** What an earlier command left. */
  readonly found: FoundState | undefined;
}

/** How every command that changes a cluster begins. Throws as {@link findState} does. */
export async function firstLook<Options extends LifeCycleOptions>(given: Options): Promise<FirstLook<Options>> {
  const { access, clock, progress, namespace, timeoutMs } = given;
  const deadline = clock.now() + timeoutMs;
  progress.step("looked at the cluster");
  const options = { ...given, access: patientAccess(access, clock) };
  return { options, deadline, found: await findState(options.access, namespace) };
}
