import type { Authority } from "./authority-certificate.ts";
import { type AuthorityState, PREVIOUS_LIMIT, withoutKey } from "./authority-state.ts";

/** Times in ms. */
export interface RotationTimes {
  /** Life of an authority. With a third of it left, the next is made. */
  readonly authorityLife: number;
  /** How long every caBundle has carried an authority before anything is served under it. */
  readonly propagation: number;
  /** How long a former authority stays trusted. Far longer than any replica takes to notice a rotation. */
  readonly retention: number;
}

/** What one replica has seen. Durations in ms, undefined for what is not so now. */
export interface Observed {
  readonly now: number;
  readonly state: AuthorityState;
  /** Somebody asked for a rotation. */
  readonly asked: boolean;
  /** For how long every caBundle has trusted the authority. */
  trustedFor(fingerprint: string): number | undefined;
  /** For how long the authority has been a former one. */
  previousFor(fingerprint: string): number | undefined;
}

/**
 * The one change of the Secret that is due.
 *
 *   add-next       current is old or not valid yet, or somebody asked: a new authority that clients shall trust before
 *                  it is used
 *   promote        they do: next becomes current, current a former one
 *   drop-previous  nobody serves under the former ones any more
 *   replace        current has expired while nobody was here to rotate: nothing is served under it that could break
 */
export type RotationStep = "add-next" | "promote" | "drop-previous" | "replace" | "none";

export function rotationStep(observed: Observed, times: RotationTimes): RotationStep {
  const { now, state } = observed;
  const { current, next, previous } = state;
  const expired = current.notAfter <= now;
  // Made by a machine whose clock was ahead. Others may serve under it, so it is followed, not replaced.
  const early = current.notBefore > now;
  if (expired && (next === undefined || next.notAfter <= now)) return "replace";
  if (next !== undefined) {
    if (next.notAfter <= now || next.notBefore > now) return "add-next";
    const carried = (fingerprint: string, atLeast: number) => (observed.trustedFor(fingerprint) ?? -1) >= atLeast;
    if ((expired || early) && carried(next.fingerprint, 0)) return "promote";
    if (carried(next.fingerprint, times.propagation) && carried(current.fingerprint, 0)) return "promote";
  }
  if (previous.some((one) => one.notAfter <= now || (observed.previousFor(one.fingerprint) ?? 0) >= times.retention)) {
    return "drop-previous";
  }
  if (
    next === undefined &&
    previous.length < PREVIOUS_LIMIT &&
    (observed.asked || early || isOld(current, now, times))
  ) {
    return "add-next";
  }
  return "none";
}

/** `fresh` makes the new authority that two of the steps need. */
export async function takeStep(
  step: Exclude<RotationStep, "none">,
  observed: Observed,
  times: RotationTimes,
  fresh: () => Promise<Authority>,
): Promise<AuthorityState> {
  const { now, state } = observed;
  const { current, next, previous } = state;
  switch (step) {
    case "add-next":
      return { ...state, next: await fresh() };
    case "promote":
      return next === undefined
        ? state
        : { current: next, previous: [withoutKey(current), ...previous].slice(0, PREVIOUS_LIMIT) };
    case "replace":
      return { current: await fresh(), previous: previous.filter((one) => one.notAfter > now) };
    case "drop-previous": {
      const needed = (fingerprint: string) => (observed.previousFor(fingerprint) ?? 0) < times.retention;
      return { ...state, previous: previous.filter((one) => one.notAfter > now && needed(one.fingerprint)) };
    }
  }
}

/** A third of its life is left. Its own life counts where it is shorter than what is configured. */
function isOld({ notBefore, notAfter }: Authority, now: number, { authorityLife }: RotationTimes): boolean {
  return notAfter - now <= Math.min(authorityLife, notAfter - notBefore) / 3;
}
