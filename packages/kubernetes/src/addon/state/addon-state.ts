import type { ObjectReference } from "../object-reference.ts";
import type { AddonProfile } from "../profile.ts";

/** How far the life cycle is. What was interrupted shows as the first or the last. */
export const PHASES = ["enabling", "enabled", "disabled", "disabling"] as const;
export type Phase = (typeof PHASES)[number];

/** What the add-on knows about its installation; kept in the cluster, so that any machine can go on with it. */
export interface AddonState {
  readonly phase: Phase;
  /** The confcom that wrote it last. */
  readonly version: string;
  readonly profile: AddonProfile;
  /** Values as they were given, without defaults. They hold no secret. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where images come from instead of the host in their name; null: from there. */
  readonly registry: string | null;
  /** Every object that was applied or was about to be. */
  readonly inventory: readonly ObjectReference[];
}

/** A state as it was found. */
export interface FoundState extends AddonState {
  readonly namespace: string;
  /** Of the ConfigMap: a write that names it fails if somebody else wrote since. */
  readonly resourceVersion: string;
}
