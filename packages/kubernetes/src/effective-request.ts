/** What of a container counts for what its pod takes. */
export interface PodContainer {
  /** `app` and `sidecar` (a restartable init container) run at the same time, `init` before them. */
  readonly kind: "app" | "init" | "sidecar";
}

/**
 * What a pod takes on its node at any one time, as the scheduler counts it: its containers with all sidecars, or an init
 * container with the sidecars that were started before it, whichever is more (spec: Kubernetes §1.3).
 */
export function effectiveRequest<C extends PodContainer>(
  containers: readonly C[],
  amount: (container: C) => bigint,
): bigint {
  let sidecars = 0n;
  let peak = 0n;
  let apps = 0n;
  for (const container of containers) {
    const wanted = amount(container);
    if (container.kind === "app") apps += wanted;
    else if (container.kind === "sidecar") sidecars += wanted;
    const now = container.kind === "init" ? sidecars + wanted : sidecars;
    if (now > peak) peak = now;
  }
  return apps + sidecars > peak ? apps + sidecars : peak;
}
