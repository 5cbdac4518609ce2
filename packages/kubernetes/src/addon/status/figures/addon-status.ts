import { effectiveRequest } from "../../../effective-request.ts";
import { PCCS_NAME, PLUGIN_NAME, QUOTE_HELPER_NAME, WEBHOOK_NAME } from "../../../manifests/object-names.ts";
import { AZURE_EPC_RESOURCE, CAPABLE_LABEL, INTEL_EPC_RESOURCE } from "../../../names.ts";
import { ClusterView } from "../diagnosis/cluster-view.ts";
import { diagnose } from "../diagnosis/diagnose.ts";
import type { Problem } from "../diagnosis/problem.ts";
import type { NodeFacts } from "../facts/cluster-facts.ts";
import type { PodFacts } from "../facts/pod-facts.ts";
import type { ClusterSnapshot } from "../snapshot.ts";
import { declaredMiB } from "./declared-epc.ts";
import { isAesm, type QuoteMode, quoteMode } from "./quote-mode.ts";

/** What `confcom addon status` shows. Fields are only ever added. Sizes in MiB. */
export interface AddonStatus {
  readonly takenAt: string;
  readonly namespace: string;
  /** No problem is an error. */
  readonly healthy: boolean;
  readonly components: readonly ComponentStatus[];
  readonly nodes: readonly NodeFigures[];
  readonly pods: readonly PodFigures[];
  readonly webhook: { readonly up: boolean; readonly caEndsAt: string | null } | null;
  /** Admission policies about applications that are there. */
  readonly policies: readonly string[];
  readonly quoteRoot: { readonly sha256: string } | null;
  readonly problems: readonly Problem[];
}

export interface ComponentStatus {
  readonly name: string;
  readonly desired: number;
  readonly ready: number;
  /** Of the pods that answered; more than one during an update. */
  readonly versions: readonly string[];
}

export interface NodeFigures {
  readonly name: string;
  /** Labelled as having SGX. */
  readonly capable: boolean;
  /** Under which name EPC is schedulable there; null where it is not. */
  readonly epcName: string | null;
  readonly epc: { readonly totalMiB: number; readonly allocatedMiB: number; readonly freeMiB: number };
  /** Null: no plugin answered. */
  readonly plugin: { readonly version: string; readonly state: string; readonly mode: string | null } | null;
  /** Null: no helper on the node. */
  readonly helper: {
    readonly pod: string;
    readonly version: string | null;
    readonly ready: boolean;
    readonly why: string | null;
  } | null;
}

/** What a pod declares; nothing here was measured. */
export interface PodFigures {
  readonly namespace: string;
  readonly name: string;
  readonly node: string | null;
  readonly phase: string;
  readonly declaredEpcMiB: number;
  readonly declaredMode: QuoteMode | "aesm";
}

/** Figures and problems of a snapshot. Never throws. */
export function addonStatus(snapshot: ClusterSnapshot): AddonStatus {
  const view = new ClusterView(snapshot);
  const problems = diagnose(snapshot);
  const living = snapshot.pods.filter(({ phase }) => phase !== "Succeeded" && phase !== "Failed");
  return {
    takenAt: new Date(snapshot.takenAt).toISOString(),
    namespace: snapshot.namespace,
    healthy: !problems.some(({ severity }) => severity === "error"),
    components: [PLUGIN_NAME, QUOTE_HELPER_NAME, WEBHOOK_NAME, PCCS_NAME].flatMap((name) => component(view, name)),
    nodes: snapshot.nodes.map((node) => nodeFigures(view, node, living)),
    pods: living.flatMap((pod) => podFigures(view, pod)),
    webhook: webhookStatus(view),
    policies: [...snapshot.policies].sort(),
    quoteRoot: snapshot.root === null || snapshot.root.sha256 === "" ? null : { sha256: snapshot.root.sha256 },
    problems,
  };
}

function component(view: ClusterView, name: string): ComponentStatus[] {
  const workload = view.workload(name);
  if (workload === undefined) return [];
  const pods = new Set(view.podsOf(name).map((pod) => pod.name));
  const versions = view.snapshot.daemons.filter(({ pod, version }) => pods.has(pod) && version !== "");
  const { desired, ready } = workload;
  return [{ name, desired, ready, versions: [...new Set(versions.map(({ version }) => version))].sort() }];
}

function nodeFigures(view: ClusterView, node: NodeFacts, pods: readonly PodFacts[]): NodeFigures {
  const mib = (of: ReadonlyMap<string, bigint>) =>
    (of.get(AZURE_EPC_RESOURCE) ?? 0n) + (of.get(INTEL_EPC_RESOURCE) ?? 0n) / (1n << 20n);
  const allocated = pods
    .filter((pod) => pod.node === node.name)
    .reduce((sum, { containers }) => sum + effectiveRequest(containers, declaredMiB), 0n);
  const allocatable = mib(node.allocatable);
  const plugin = view.plugin(node.name);
  const helper = view.helperOn(node.name);
  const said = view.daemons(QUOTE_HELPER_NAME).find(({ pod }) => pod === helper?.name);
  const name = [AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE].find((each) => (node.capacity.get(each) ?? 0n) > 0n);
  return {
    name: node.name,
    capable: node.labels.get(CAPABLE_LABEL) === "true",
    epcName: name ?? null,
    epc: {
      totalMiB: Number(mib(node.capacity)),
      allocatedMiB: Number(allocated),
      freeMiB: Number(allocatable > allocated ? allocatable - allocated : 0n),
    },
    plugin:
      plugin === undefined
        ? null
        : { version: plugin.version, state: plugin.state, mode: plugin.publishing?.mode ?? null },
    helper:
      helper === undefined
        ? null
        : { pod: helper.name, version: said?.version || null, ready: helper.ready, why: said?.helper?.why || null },
  };
}

function podFigures(view: ClusterView, pod: PodFacts): PodFigures[] {
  const declared = effectiveRequest(pod.containers, declaredMiB);
  const modes = pod.containers.filter((each) => !isAesm(each)).map((each) => quoteMode(pod, each, view.aesmDirectory));
  const helper = view.ownPods.includes(pod);
  const distinct = [...new Set(modes.filter((mode) => mode !== "none"))];
  if (declared === 0n && (helper || distinct.length === 0)) return [];
  const declaredMode = helper ? "aesm" : distinct.length > 1 ? "both" : (distinct[0] ?? "none");
  const { namespace, name, node, phase } = pod;
  return [{ namespace, name, node, phase, declaredEpcMiB: Number(declared), declaredMode }];
}

function webhookStatus(view: ClusterView): AddonStatus["webhook"] {
  const { webhook } = view.snapshot;
  if (webhook === null) return null;
  const ready = view.workload(WEBHOOK_NAME)?.ready ?? 0;
  const ends = webhook.bundles.flatMap(({ endsAt }) => (endsAt === null ? [] : [endsAt]));
  return {
    up: webhook.configured && ready > 0 && webhook.readyEndpoints !== 0,
    caEndsAt: ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString(),
  };
}
