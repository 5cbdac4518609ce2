import { QUOTE_HELPER_NAME } from "../../manifests/object-names.ts";
import { AESM_DIRECTORY } from "../../names.ts";
import type { ClaimFacts, EventFacts, NodeFacts, QuotaFacts, WorkloadFacts } from "./facts/cluster-facts.ts";
import type { DaemonFacts } from "./facts/daemon-facts.ts";
import type { PodFacts } from "./facts/pod-facts.ts";
import type { RootFacts } from "./facts/root-facts.ts";
import type { WebhookFacts } from "./facts/webhook-facts.ts";

/** What was read of a cluster at one time: all that the figures and the diagnosis know. */
export interface ClusterSnapshot {
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  /** Where the add-on is installed. */
  readonly namespace: string;
  readonly nodes: readonly NodeFacts[];
  /** Ours, and every other that has to do with SGX. */
  readonly pods: readonly PodFacts[];
  /** DaemonSets and Deployments of ours. */
  readonly workloads: readonly WorkloadFacts[];
  readonly daemons: readonly DaemonFacts[];
  /** Warnings, of the last hour at most: the API server forgets them then. */
  readonly events: readonly EventFacts[];
  readonly quotas: readonly QuotaFacts[];
  /** Namespace → its labels. */
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Null where no webhook is installed. */
  readonly webhook: WebhookFacts | null;
  /** Names of our policies about applications. */
  readonly policies: readonly string[];
  /** Null where no root is published. */
  readonly root: RootFacts | null;
  readonly claims: readonly ClaimFacts[];
  readonly storageClasses: readonly { readonly name: string; readonly isDefault: boolean }[];
  /** What `confcom addon` wrote about its installation; null where it wrote nothing. */
  readonly addon: { readonly version: string; readonly phase: string } | null;
  /** What could not be read, and why: the diagnosis does not know about it. */
  readonly unread: readonly { readonly what: string; readonly why: string }[];
}

/** The host's directory that applications mount: what the quote helper was told, or the usual one. */
export function aesmDirectory(snapshot: ClusterSnapshot): string {
  const args = snapshot.workloads.find(({ name }) => name === QUOTE_HELPER_NAME)?.args ?? [];
  const socket = args.find((each) => each.startsWith("--socket="))?.slice("--socket=".length) ?? "";
  const slash = socket.lastIndexOf("/");
  return slash > 0 ? socket.slice(0, slash) : AESM_DIRECTORY;
}
