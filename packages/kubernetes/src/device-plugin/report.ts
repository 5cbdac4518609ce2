import type { KubernetesError } from "../errors.ts";

/** What a device plugin tells whoever started it. Every call is quick and may not throw; none of them changes what the plugin does. */
export interface DevicePluginReport {
  /** The kubelet accepted the registration. `generation` counts this resource's registrations from 1. */
  registered(event: { resourceName: string; endpoint: string; generation: number }): void;
  /** It did not, or the socket could not be made; tried again after `retryInMs`. */
  registrationFailed(event: { resourceName: string; error: KubernetesError; attempt: number; retryInMs: number }): void;
  listAndWatchOpened(event: { resourceName: string; devices: number; encodedBytes: number }): void;
  /** The kubelet went away or dropped the plugin; registered again unless the plugin is ending. */
  listAndWatchClosed(event: { resourceName: string; stillOpen: number }): void;
  /** One container's allocation; `error` when it was refused and the pod with it. */
  allocated(event: { resourceName: string; ids: readonly string[]; error?: KubernetesError }): void;
  /** One start of a container that holds `ids`; `error` when it was refused. */
  preStart(event: { resourceName: string; ids: readonly string[]; error?: KubernetesError }): void;
  /** Another plugin of ours took the socket: this one leaves the resource to it. */
  replaced(event: { resourceName: string; endpoint: string }): void;
  /** A plugin that is not ours owns the resource: nothing is registered, and the plugin ends. */
  foreign(event: { resourceName: string; error: KubernetesError; socket: string; ids: readonly string[] }): void;
  /** Registered, but the kubelet has not called back in `afterMs`. */
  neverCalled(event: { resourceName: string; error: KubernetesError; afterMs: number }): void;
  /** The list was not sent, because the kubelet would have refused it; the last good one, if any, stays in force. */
  tooLarge(event: { resourceName: string; error: KubernetesError; encodedBytes: number; limitBytes: number }): void;
}

/** One resource as the plugin sees it now. */
export interface ResourceState {
  readonly resourceName: string;
  readonly endpoint: string;
  /** `starting`: no registration accepted yet. `registered`: the last one was. `replaced`: left to another plugin of ours. */
  readonly phase: "starting" | "registered" | "replaced" | "foreign" | "stopped";
  readonly total: number;
  readonly healthy: number;
  /** Bytes of the list as the kubelet receives it. */
  readonly encodedBytes: number;
  /** Milliseconds since 1970 of the last accepted registration. */
  readonly registeredAt: number | undefined;
  /** Whether the kubelet is listening to the list at this moment. */
  readonly listAndWatchOpen: boolean;
  /** Accepted registrations so far. */
  readonly generation: number;
  /** What is wrong now; cleared when it is right again. */
  readonly lastError: KubernetesError | undefined;
}

/** Why a device plugin is no more. */
export type DevicePluginEnd =
  | { readonly reason: "stopped" }
  | { readonly reason: "replaced" }
  | {
      readonly reason: "foreign";
      readonly error: KubernetesError;
      readonly resourceName: string;
      readonly socket: string;
    };
