import { AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE } from "../../../names.ts";
import type { ContainerFacts } from "../facts/pod-facts.ts";
import { mibOfBytes, wholeQuantity } from "../facts/quantity.ts";

/** EPC that a container declares, MiB, under whichever name; bytes are rounded up. */
export function declaredMiB({ resources }: ContainerFacts): bigint {
  return (
    wholeQuantity(resources.get(AZURE_EPC_RESOURCE)) + mibOfBytes(wholeQuantity(resources.get(INTEL_EPC_RESOURCE)))
  );
}

/**
 * What a pod takes on its node at any one time, as the scheduler counts it: its containers with all sidecars, or an init
 * container with the sidecars that were started before it, whichever is more (spec: Kubernetes §1.3).
 */
export function effectiveRequest(
  containers: readonly ContainerFacts[],
  amount: (container: ContainerFacts) => bigint,
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
