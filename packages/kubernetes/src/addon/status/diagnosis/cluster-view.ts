import { PLUGIN_NAME, QUOTE_HELPER_NAME } from "../../../manifests/object-names.ts";
import { AZURE_EPC_RESOURCE, CAPABLE_LABEL, INTEL_EPC_RESOURCE } from "../../../names.ts";
import type { PluginStatus } from "../../../status/plugin-status.ts";
import type { NodeFacts, WorkloadFacts } from "../facts/cluster-facts.ts";
import type { DaemonFacts } from "../facts/daemon-facts.ts";
import type { PodFacts } from "../facts/pod-facts.ts";
import { isOwnPod } from "../pods-of-interest.ts";
import { aesmDirectory, type ClusterSnapshot } from "../snapshot.ts";

export const EPC_RESOURCES = [AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE] as const;

/** A snapshot with what nearly every diagnosis asks of it. */
export class ClusterView {
  readonly snapshot: ClusterSnapshot;
  /** Pods of ours that are not on their way out. */
  readonly ownPods: readonly PodFacts[];
  /** Other pods that have not ended. */
  readonly applications: readonly PodFacts[];
  readonly aesmDirectory: string;
  readonly #plugins: ReadonlyMap<string, PluginStatus>;

  constructor(snapshot: ClusterSnapshot) {
    this.snapshot = snapshot;
    const living = snapshot.pods.filter(
      ({ phase, deleting }) => phase !== "Succeeded" && phase !== "Failed" && !deleting,
    );
    this.ownPods = living.filter((pod) => isOwnPod(pod, snapshot.namespace));
    this.applications = living.filter((pod) => !isOwnPod(pod, snapshot.namespace));
    this.aesmDirectory = aesmDirectory(snapshot);
    this.#plugins = new Map(
      snapshot.daemons.flatMap(({ node, plugin }) =>
        node === null || plugin === null ? [] : [[node, plugin] as const],
      ),
    );
  }

  workload(name: string): WorkloadFacts | undefined {
    return this.snapshot.workloads.find((each) => each.name === name);
  }

  /** Pods of one of our components; on one node where it is given. */
  podsOf(component: string, node?: string): readonly PodFacts[] {
    return this.ownPods.filter(
      (pod) => pod.labels.get("app") === component && (node === undefined || pod.node === node),
    );
  }

  daemons(name: string): readonly DaemonFacts[] {
    return this.snapshot.daemons.filter(({ daemon }) => daemon === name);
  }

  /** What the plugin of a node says; undefined where it could not be read. */
  plugin(node: string): PluginStatus | undefined {
    return this.#plugins.get(node);
  }

  /** The name under which this cluster schedules EPC; undefined where neither a node nor the plugin tells. */
  get epcName(): string | undefined {
    const offered = EPC_RESOURCES.filter((name) =>
      this.snapshot.nodes.some(({ capacity }) => (capacity.get(name) ?? 0n) > 0n),
    );
    if (offered.length === 1) return offered[0];
    const args = this.workload(PLUGIN_NAME)?.args ?? [];
    if (args.includes("--resource-names=intel")) return INTEL_EPC_RESOURCE;
    return args.includes("--resource-names=azure") ? AZURE_EPC_RESOURCE : undefined;
  }

  helperOn(node: string): PodFacts | undefined {
    return this.podsOf(QUOTE_HELPER_NAME, node)[0];
  }
}

/** Labels with which others say that a machine has SGX (spec: Kubernetes §2, §4.5). */
const SGX_LABELS: readonly (readonly [key: string, value: RegExp])[] = [
  [CAPABLE_LABEL, /^true$/],
  ["sgx.intel.com/capable", /^true$/],
  ["intel.feature.node.kubernetes.io/sgx", /^true$/],
  ["feature.node.kubernetes.io/cpu-security.sgx.enabled", /^true$/],
  ["node.kubernetes.io/instance-type", /^Standard_DC\d+(s_v2|s_v3|ds_v3|_v2|s)$/],
];

/** Whether anything but the devices says that a node has SGX; what it is, for a message. */
export function sgxEvidence(node: NodeFacts, plugin: PluginStatus | undefined): string | undefined {
  for (const [key, value] of SGX_LABELS) {
    const label = node.labels.get(key);
    if (label !== undefined && value.test(label)) return `it has the label ${key}=${label}`;
  }
  const epc = EPC_RESOURCES.find((name) => (node.capacity.get(name) ?? 0n) > 0n);
  if (epc !== undefined) return `its capacity has ${epc}`;
  const taint = node.taints.find(({ key }) => EPC_RESOURCES.some((name) => name === key));
  if (taint !== undefined) return `it has the taint ${taint.key}`;
  if (plugin !== undefined && plugin.sgx.epc.totalMiB > 0) return `it has ${plugin.sgx.epc.totalMiB} MiB of EPC`;
  return undefined;
}
