import type { Clock } from "../../clock.ts";
import { KubernetesError } from "../../errors.ts";
import type { KubernetesObject } from "../../manifests/kubernetes-object.ts";
import { PLUGIN_NAME, QUOTE_HELPER_NAME } from "../../manifests/object-names.ts";
import { CAPABLE_LABEL } from "../../names.ts";
import type { ClusterAccess, ClusterObject } from "../cluster-access.ts";
import { type ObjectReference, referenceTo } from "../object-reference.ts";
import { DAEMON_SETS, DEPLOYMENTS, NODES, PODS } from "../resource-kinds.ts";
import type { Progress } from "./life-cycle-options.ts";
import { waitUntil } from "./wait-until.ts";

const LOOK_EVERY = 500;

/** For the DaemonSet controller to see labels that node-status has just set, ms. */
const LABELS_SETTLE = 5_000;

export interface RollOutOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Of the clock. */
  readonly deadline: number;
}

/**
 * Waits until every pod of the workloads among `objects` is of the newest template and ready. The plugin comes first: it
 * is ready once its node is labelled, and the quote helper runs where the label is. Throws KubernetesError
 * `ADDON_NOT_READY`, which says what the pods wait for.
 */
export async function rolledOut(objects: readonly KubernetesObject[], options: RollOutOptions): Promise<void> {
  const workloads = objects
    .filter(({ kind }) => kind === DAEMON_SETS.kind || kind === DEPLOYMENTS.kind)
    .map(referenceTo)
    .sort((a, b) => Number(b.name === PLUGIN_NAME) - Number(a.name === PLUGIN_NAME));
  for (const of of workloads) {
    options.progress.step(`${of.kind} ${of.name} ready`);
    await workloadReady(of, options);
  }
}

async function workloadReady(of: ObjectReference, options: RollOutOptions): Promise<void> {
  const { access, clock, progress, deadline } = options;
  const labelled =
    of.name === QUOTE_HELPER_NAME ? (await access.list(NODES, { labelSelector: `${CAPABLE_LABEL}=true` })).length : 0;
  const settled = clock.now() + LABELS_SETTLE;
  const why = await waitUntil({ clock, progress, deadline, every: LOOK_EVERY }, async () => {
    const { ready, wanted, why } = standing(await access.get(of));
    // A node that is labelled may still be left out by a selector or a taint.
    return ready && (wanted >= labelled || clock.now() >= settled) ? undefined : why;
  });
  if (why === undefined) return;
  const waiting = await waitingPods(access, of);
  throw new KubernetesError("ADDON_NOT_READY", `${of.kind} ${of.name}: ${[why, ...waiting].join("; ")}`);
}

interface Standing {
  readonly ready: boolean;
  /** Pods. */
  readonly wanted: number;
  readonly why: string;
}

/** How far a DaemonSet or Deployment is. */
export function standing(object: ClusterObject | undefined): Standing {
  if (object === undefined) return { ready: false, wanted: 0, why: "it is not there" };
  const status = (object.status ?? {}) as Readonly<Record<string, number | undefined>>;
  const { replicas: asked } = (object.spec ?? {}) as { replicas?: number };
  const seen = (status.observedGeneration ?? 0) >= (object.metadata.generation ?? 0);
  const daemonSet = object.kind === DAEMON_SETS.kind;
  const wanted = daemonSet ? (status.desiredNumberScheduled ?? 0) : (asked ?? 1);
  const updated = (daemonSet ? status.updatedNumberScheduled : status.updatedReplicas) ?? 0;
  const available = (daemonSet ? status.numberAvailable : status.availableReplicas) ?? 0;
  // Pods of the old template that have not ended yet.
  const old = daemonSet ? 0 : Math.max(0, (status.replicas ?? 0) - updated);
  const why = seen
    ? `${available} of ${wanted} pods ready, ${updated} of the new template`
    : "the change has not been seen yet";
  return { ready: seen && updated >= wanted && available >= wanted && old === 0, wanted, why };
}

/** More pods are not told about. */
const TOLD_PODS = 5;

interface PodStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses?: readonly ContainerStatus[];
}
interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}

/** What the pods of a workload wait for, in the words of scheduler and kubelet. */
async function waitingPods(access: ClusterAccess, of: ObjectReference): Promise<readonly string[]> {
  const namespace = of.namespace ?? "";
  const pods = await access.list(PODS, { namespace, labelSelector: `app=${of.name}` });
  return pods
    .flatMap((pod) => {
      const why = podWaitsFor((pod.status ?? {}) as PodStatus);
      return why === undefined ? [] : [`pod ${pod.metadata.name}: ${why}`];
    })
    .slice(0, TOLD_PODS);
}

function podWaitsFor(status: PodStatus): string | undefined {
  const unscheduled = status.conditions?.find(
    ({ type, status: value }) => type === "PodScheduled" && value === "False",
  );
  if (unscheduled !== undefined) return unscheduled.message ?? "it is not scheduled";
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  for (const { name, state } of containers) {
    const { reason, message } = state?.waiting ?? {};
    if (reason !== undefined && reason !== "PodInitializing")
      return `${name} ${reason}${message ? `: ${message}` : ""}`;
  }
  const unready = (status.containerStatuses ?? []).filter(({ ready }) => ready !== true).map(({ name }) => name);
  return unready.length === 0 ? undefined : `${unready.join(", ")} not ready`;
}
