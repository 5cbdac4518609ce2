import { AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE } from "../../../names.ts";
import { mibOfBytes, wholeQuantity } from "../../../quantity.ts";
import type { ContainerFacts } from "../facts/pod-facts.ts";

/** EPC that a container declares, MiB, under whichever name; bytes are rounded up. */
export function declaredMiB({ resources }: ContainerFacts): bigint {
  return (
    wholeQuantity(resources.get(AZURE_EPC_RESOURCE)) + mibOfBytes(wholeQuantity(resources.get(INTEL_EPC_RESOURCE)))
  );
}
