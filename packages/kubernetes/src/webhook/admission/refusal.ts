/** Why a pod is not admitted; docs/webhook.md has one row for each. */
export type RefusalCode =
  /** An amount of the resource that counts MiB that can only be meant as bytes. */
  | "EPC_UNIT"
  /** A container is to quote in-process and out-of-process. */
  | "BOTH_QUOTE_MODES"
  /** A container asks for the provisioning key and for the node's quote helper. */
  | "PROVISION_WITH_OPT_IN"
  /** Both quote-provider annotations, with different values. */
  | "QUOTE_PROVIDER_CONTRADICTION"
  /** A pod has an AESM of its own and a container of it uses the node's. */
  | "SIDECAR_AND_HELPER";

export interface Refusal {
  readonly code: RefusalCode;
  /** What is wrong, in which container, and what to write instead. */
  readonly message: string;
}

/** A name from a pod, for a message: the API server checks names only after admission. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 63 ? `${name.slice(0, 62)}…` : name);
}
