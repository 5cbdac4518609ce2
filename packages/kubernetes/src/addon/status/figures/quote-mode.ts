import {
  OWN_QUOTE_PROVIDER_ANNOTATION,
  PROVISION_RESOURCE,
  QUOTE_PROVIDER_ANNOTATION,
  QUOTE_RESOURCE,
} from "../../../names.ts";
import { wholeQuantity } from "../../../quantity.ts";
import type { ContainerFacts, MountFacts, PodFacts } from "../facts/pod-facts.ts";
import { declaredMiB } from "./declared-epc.ts";

export type QuoteMode = "out-of-process" | "in-process" | "both" | "none";

export const asksFor = ({ resources }: ContainerFacts, name: string): boolean =>
  wholeQuantity(resources.get(name)) > 0n;

/** What the pod's annotation says about where quotes come from; empty without one. Ours goes before Intel's. */
export function quoteProvider({ annotations }: PodFacts): string {
  return annotations.get(OWN_QUOTE_PROVIDER_ANNOTATION) ?? annotations.get(QUOTE_PROVIDER_ANNOTATION) ?? "";
}

/** Where a container would find the AESM socket, seen from inside it. */
export function aesmMount({ mounts }: ContainerFacts, directory: string): MountFacts | undefined {
  return mounts.find(({ path }) => {
    const plain = path.replace(/\/+$/, "");
    return (
      plain === directory || plain === directory.replace(/^\/var\/run\//, "/run/") || plain.endsWith("/aesm.socket")
    );
  });
}

/** A container that is an AESM service itself: by Intel's rule its name, else its image. */
export function isAesm({ name, image }: ContainerFacts): boolean {
  return name === "aesmd" || /(^|[/_-])(aesmd|sgx[-_]aesm\w*|sgx-attestation|sgx-quote-helper)([:@/_-]|$)/.test(image);
}

/** Whether a container says that its quotes come from an AESM service: slot, variable, mount, or the pod's annotation. */
export function optsIn(pod: PodFacts, container: ContainerFacts, directory: string): boolean {
  if (isAesm(container)) return false;
  return (
    asksFor(container, QUOTE_RESOURCE) ||
    container.aesmVariable ||
    aesmMount(container, directory) !== undefined ||
    (quoteProvider(pod) === "aesmd" && declaredMiB(container) > 0n)
  );
}

/** What a container declares; nobody can see from outside what an enclave does. */
export function quoteMode(pod: PodFacts, container: ContainerFacts, directory: string): QuoteMode {
  const out = optsIn(pod, container, directory);
  const inside =
    asksFor(container, PROVISION_RESOURCE) || (quoteProvider(pod) !== "" && quoteProvider(pod) === container.name);
  if (out && inside) return "both";
  return out ? "out-of-process" : inside ? "in-process" : "none";
}
