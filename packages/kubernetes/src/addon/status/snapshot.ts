import {
  ADDON_CONFIG_MAP,
  PCCS_NAME,
  PLUGIN_NAME,
  QUOTE_HELPER_NAME,
  QUOTE_ROOT_CONFIG_MAP,
  QUOTE_ROOT_KEY,
  WEBHOOK_NAME,
} from "../../manifests/object-names.ts";
import { AESM_DIRECTORY, OWN_RESOURCES } from "../../names.ts";
import { type StatusAccess, statusOfFailure } from "./access.ts";
import { boundedConcurrency } from "./bounded-concurrency.ts";
import {
  type ClaimFacts,
  claimFacts,
  type EventFacts,
  eventFacts,
  type NodeFacts,
  nodeFacts,
  type QuotaFacts,
  quotaFacts,
  type WorkloadFacts,
  workloadFacts,
} from "./facts/cluster-facts.ts";
import { DAEMONS, type DaemonFacts, daemonFacts, unreadDaemon } from "./facts/daemon-facts.ts";
import { mapAt, textAt } from "./facts/json.ts";
import { type PodFacts, podFacts } from "./facts/pod-facts.ts";
import { certificateSha256, type RootFacts } from "./facts/root-facts.ts";
import { bundleFacts, readyAddresses, type WebhookFacts } from "./facts/webhook-facts.ts";
import { isOfInterest } from "./pods-of-interest.ts";
import { readList, readObject } from "./read-list.ts";

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
  /** Names of ValidatingAdmissionPolicies. */
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

export interface SnapshotOptions {
  readonly namespace: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Look at this node alone, and the pods on it. */
  readonly node?: string;
  readonly signal?: AbortSignal;
}

/** Of one daemon's `/status`. */
const DAEMON_BOUNDS = { timeoutMs: 3000, sizeLimit: 1 << 20 };
const DAEMONS_AT_A_TIME = 16;

/**
 * Reads what `confcom addon status` needs to know: about ten lists, and each daemon's `/status` through the API server's pod
 * proxy. No Secret is read. Rejects when nodes or pods cannot be read; anything else that cannot is in `unread`.
 */
export async function takeSnapshot(access: StatusAccess, options: SnapshotOptions): Promise<ClusterSnapshot> {
  const { namespace, now, node, signal } = options;
  const unread: { what: string; why: string }[] = [];
  const list = <T>(path: string, facts: (object: unknown) => T | undefined) => readList(access, path, facts, signal);
  /** What may be missing: a cluster without it, or a user who may not read it. */
  const optional = async <T>(what: string, reading: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await reading;
    } catch (error) {
      if (statusOfFailure(error) !== 404) unread.push({ what, why: messageOf(error) });
      return otherwise;
    }
  };
  const own = `/namespaces/${encodeURIComponent(namespace)}`;
  const field = (name: string, value: string) => `fieldSelector=${encodeURIComponent(`${name}=${value}`)}`;
  const here = node === undefined ? undefined : node;
  const pods = list(`/api/v1/pods`, (pod) => {
    const facts = podFacts(pod);
    const elsewhere = here !== undefined && facts.node !== null && facts.node !== here;
    return !elsewhere && isOfInterest(facts, namespace) ? facts : undefined;
  });
  const settled = await Promise.all([
    list("/api/v1/nodes", (each) =>
      here === undefined || textAt(each, "metadata", "name") === here ? nodeFacts(each) : undefined,
    ),
    pods,
    optional(
      "DaemonSets",
      list(`/apis/apps/v1${own}/daemonsets`, (each) => ours(workloadFacts("DaemonSet", each))),
      [],
    ),
    optional(
      "Deployments",
      list(`/apis/apps/v1${own}/deployments`, (each) => ours(workloadFacts("Deployment", each))),
      [],
    ),
    optional("events", list(`/api/v1/events?${field("type", "Warning")}`, eventFacts), []),
    optional(
      "ResourceQuotas",
      list("/api/v1/resourcequotas", (each) => quotaOnSgx(quotaFacts(each))),
      [],
    ),
    optional(
      "namespaces",
      list(
        "/api/v1/namespaces",
        (each) => [textAt(each, "metadata", "name"), mapAt(each, "metadata", "labels")] as const,
      ),
      [],
    ),
    optional(
      "ValidatingAdmissionPolicies",
      list("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", (each) =>
        textAt(each, "metadata", "name"),
      ),
      [],
    ),
    optional("the quote root", readRoot(access, `/api/v1${own}/configmaps/${QUOTE_ROOT_CONFIG_MAP}`, signal), null),
    optional(
      "PersistentVolumeClaims",
      list(`/api/v1${own}/persistentvolumeclaims`, (each) => pccsClaim(claimFacts(each))),
      [],
    ),
    optional("StorageClasses", list("/apis/storage.k8s.io/v1/storageclasses", storageClass), []),
    optional("the add-on's state", readObject(access, `/api/v1${own}/configmaps/${ADDON_CONFIG_MAP}`, signal), null),
    optional(
      "the webhook's configuration",
      readObject(access, `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${WEBHOOK_NAME}`, signal),
      null,
    ),
    optional<readonly unknown[] | null>(
      "the webhook's endpoints",
      list(
        `/apis/discovery.k8s.io/v1${own}/endpointslices?labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${WEBHOOK_NAME}`)}`,
        (each) => each,
      ),
      null,
    ),
  ] as const);
  const [
    nodes,
    found,
    daemonSets,
    deployments,
    events,
    quotas,
    namespaces,
    policies,
    root,
    claims,
    storageClasses,
    addon,
    configuration,
    slices,
  ] = settled;
  const workloads = [...daemonSets, ...deployments];
  return {
    takenAt: now,
    namespace,
    nodes,
    pods: found,
    workloads,
    daemons: await readDaemons(access, namespace, found, signal),
    events,
    quotas,
    namespaces: new Map(namespaces),
    webhook: webhook(workloads, configuration, slices),
    policies,
    root,
    claims,
    storageClasses,
    addon: addon === null ? null : { version: textAt(addon, "data", "version"), phase: textAt(addon, "data", "phase") },
    unread,
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 500);

const OUR_WORKLOADS: readonly string[] = [PLUGIN_NAME, QUOTE_HELPER_NAME, WEBHOOK_NAME, PCCS_NAME];

const ours = (workload: WorkloadFacts) => (OUR_WORKLOADS.includes(workload.name) ? workload : undefined);

const quotaOnSgx = (quota: QuotaFacts) =>
  quota.resources.some((name) => OWN_RESOURCES.some((own) => own === name)) ? quota : undefined;

const pccsClaim = (claim: ClaimFacts) => (claim.name.startsWith(PCCS_NAME) ? claim : undefined);

function storageClass(object: unknown) {
  const isDefault = mapAt(object, "metadata", "annotations").get("storageclass.kubernetes.io/is-default-class");
  return { name: textAt(object, "metadata", "name"), isDefault: isDefault === "true" };
}

async function readRoot(access: StatusAccess, path: string, signal?: AbortSignal): Promise<RootFacts | null> {
  const pem = mapAt(await readObject(access, path, signal), "data").get(QUOTE_ROOT_KEY) ?? "";
  return { sha256: certificateSha256(pem) };
}

function webhook(
  workloads: readonly WorkloadFacts[],
  configuration: unknown,
  slices: readonly unknown[] | null,
): WebhookFacts | null {
  const installed = workloads.some(({ name }) => name === WEBHOOK_NAME);
  if (configuration === null && !installed) return null;
  return {
    configured: configuration !== null,
    bundles: bundleFacts(configuration),
    readyEndpoints: slices === null ? null : readyAddresses(slices),
  };
}

function readDaemons(
  access: StatusAccess,
  namespace: string,
  pods: readonly PodFacts[],
  signal?: AbortSignal,
): Promise<DaemonFacts[]> {
  const running = pods.filter((pod) => pod.namespace === namespace && pod.phase === "Running" && !pod.deleting);
  const places = running.flatMap((pod) =>
    DAEMONS.filter(({ component }) => pod.labels.get("app") === component)
      .filter(({ component }) => component !== PCCS_NAME || pod.containers.some(({ name }) => name === "pccs"))
      .map((daemon) => ({ pod, daemon })),
  );
  const bounds = { ...DAEMON_BOUNDS, ...(signal === undefined ? {} : { signal }) };
  return boundedConcurrency(places, DAEMONS_AT_A_TIME, async ({ pod, daemon }) => {
    const place = { daemon: daemon.name, pod: pod.name, node: pod.node };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod.name)}:${daemon.port}/proxy/status`;
    try {
      return daemonFacts(place, await access.read(path, bounds));
    } catch (error) {
      return unreadDaemon(place, messageOf(error));
    }
  });
}

/** The host's directory that applications mount: what the quote helper was told, or the usual one. */
export function aesmDirectory(snapshot: ClusterSnapshot): string {
  const args = snapshot.workloads.find(({ name }) => name === QUOTE_HELPER_NAME)?.args ?? [];
  const socket = args.find((each) => each.startsWith("--socket="))?.slice("--socket=".length) ?? "";
  const slash = socket.lastIndexOf("/");
  return slash > 0 ? socket.slice(0, slash) : AESM_DIRECTORY;
}
