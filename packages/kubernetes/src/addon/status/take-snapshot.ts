import {
  ADDON_CONFIG_MAP,
  PCCS_NAME,
  PLUGIN_NAME,
  POLICIES_NAME,
  QUOTE_HELPER_NAME,
  QUOTE_ROOT_CONFIG_MAP,
  QUOTE_ROOT_KEY,
  WEBHOOK_NAME,
} from "../../manifests/object-names.ts";
import { OWN_RESOURCES } from "../../names.ts";
import type { StatusAccess } from "./access.ts";
import { eventsOfLiving } from "./events-of-living.ts";
import {
  claimFacts,
  eventFacts,
  nodeFacts,
  type QuotaFacts,
  quotaFacts,
  type WorkloadFacts,
  workloadFacts,
} from "./facts/cluster-facts.ts";
import { mapAt, textAt } from "./facts/json.ts";
import { podFacts } from "./facts/pod-facts.ts";
import { certificateSha256 } from "./facts/root-facts.ts";
import { bundleFacts, readyAddresses, type WebhookFacts } from "./facts/webhook-facts.ts";
import { isOfInterest } from "./pods-of-interest.ts";
import { readDaemons } from "./read-daemons.ts";
import { Reading } from "./reading.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

export interface SnapshotOptions {
  readonly namespace: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Look at this node alone, and the pods on it. */
  readonly node?: string;
  readonly signal?: AbortSignal;
}

/**
 * Reads what `confcom addon status` needs to know: about ten lists, and each daemon's `/status` through the API server's pod
 * proxy. No Secret is read. Rejects when nodes or pods cannot be read; anything else that cannot is in `unread`.
 */
export async function takeSnapshot(access: StatusAccess, options: SnapshotOptions): Promise<ClusterSnapshot> {
  const { namespace, now, node, signal } = options;
  const reading = new Reading(access, signal);
  const [placed, workloads, installation, rest] = await Promise.all([
    nodesAndPods(reading, namespace, node),
    workloadsOf(reading, namespace),
    installationOf(reading, namespace),
    clusterWide(reading),
  ]);
  const { configuration, slices, ...installed } = installation;
  return {
    takenAt: now,
    namespace,
    ...placed,
    workloads,
    daemons: await readDaemons(access, namespace, placed.pods, signal),
    webhook: webhook(workloads, configuration, slices),
    ...installed,
    ...rest,
    events: await eventsOfLiving(access, rest.events, signal),
    unread: reading.unread,
  };
}

async function nodesAndPods(reading: Reading, namespace: string, here: string | undefined) {
  const [nodes, pods] = await Promise.all([
    reading.list("/api/v1/nodes", (node) =>
      here === undefined || textAt(node, "metadata", "name") === here ? nodeFacts(node) : undefined,
    ),
    reading.list("/api/v1/pods", (pod) => {
      const facts = podFacts(pod);
      const elsewhere = here !== undefined && facts.node !== null && facts.node !== here;
      return !elsewhere && isOfInterest(facts, namespace) ? facts : undefined;
    }),
  ]);
  return { nodes, pods };
}

async function workloadsOf(reading: Reading, namespace: string): Promise<readonly WorkloadFacts[]> {
  const apps = `/apis/apps/v1${inNamespace(namespace)}`;
  const kinds = [
    ["DaemonSet", "daemonsets"],
    ["Deployment", "deployments"],
  ] as const;
  const found = kinds.map(([kind, plural]) =>
    reading.optionalList(`${kind}s`, `${apps}/${plural}`, (each) => ours(workloadFacts(kind, each))),
  );
  return (await Promise.all(found)).flat();
}

/** What the add-on's namespace has besides pods, and the webhook's configuration. */
async function installationOf(reading: Reading, namespace: string) {
  const core = `/api/v1${inNamespace(namespace)}`;
  const registration = "/apis/admissionregistration.k8s.io/v1";
  const endpoints = `/apis/discovery.k8s.io/v1${inNamespace(namespace)}/endpointslices`;
  const ofWebhook = `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${WEBHOOK_NAME}`)}`;
  const [addon, root, claims, configuration, policies, slices] = await Promise.all([
    reading.optional("the add-on's state", `${core}/configmaps/${ADDON_CONFIG_MAP}`),
    reading.optional("the quote root", `${core}/configmaps/${QUOTE_ROOT_CONFIG_MAP}`),
    reading.optionalList("PersistentVolumeClaims", `${core}/persistentvolumeclaims`, (each) => {
      const claim = claimFacts(each);
      return claim.name.startsWith(PCCS_NAME) ? claim : undefined;
    }),
    reading.optional("the webhook's configuration", `${registration}/mutatingwebhookconfigurations/${WEBHOOK_NAME}`),
    reading.optionalList("ValidatingAdmissionPolicies", `${registration}/validatingadmissionpolicies`, (each) => {
      const name = textAt(each, "metadata", "name");
      return name.startsWith(POLICIES_NAME) ? name : undefined;
    }),
    reading.optionalList("the webhook's endpoints", `${endpoints}?${ofWebhook}`, (each) => each),
  ]);
  return {
    addon:
      addon === undefined ? null : { version: textAt(addon, "data", "version"), phase: textAt(addon, "data", "phase") },
    root: root === undefined ? null : { sha256: certificateSha256(mapAt(root, "data").get(QUOTE_ROOT_KEY) ?? "") },
    claims,
    policies,
    configuration,
    slices: reading.wasRead("the webhook's endpoints") ? slices : null,
  };
}

async function clusterWide(reading: Reading) {
  const warnings = `fieldSelector=${encodeURIComponent("type=Warning")}`;
  const [events, quotas, namespaces, storageClasses] = await Promise.all([
    reading.optionalList("events", `/api/v1/events?${warnings}`, eventFacts),
    reading.optionalList("ResourceQuotas", "/api/v1/resourcequotas", (each) => onSgx(quotaFacts(each))),
    reading.optionalList(
      "namespaces",
      "/api/v1/namespaces",
      (each) => [textAt(each, "metadata", "name"), mapAt(each, "metadata", "labels")] as const,
    ),
    reading.optionalList("StorageClasses", "/apis/storage.k8s.io/v1/storageclasses", storageClass),
  ]);
  return { events, quotas, namespaces: new Map(namespaces), storageClasses };
}

const inNamespace = (namespace: string) => `/namespaces/${encodeURIComponent(namespace)}`;

const OUR_WORKLOADS: readonly string[] = [PLUGIN_NAME, QUOTE_HELPER_NAME, WEBHOOK_NAME, PCCS_NAME];

const ours = (workload: WorkloadFacts) => (OUR_WORKLOADS.includes(workload.name) ? workload : undefined);

const onSgx = (quota: QuotaFacts) =>
  quota.resources.some((name) => OWN_RESOURCES.some((own) => own === name)) ? quota : undefined;

function storageClass(object: unknown) {
  const isDefault = mapAt(object, "metadata", "annotations").get("storageclass.kubernetes.io/is-default-class");
  return { name: textAt(object, "metadata", "name"), isDefault: isDefault === "true" };
}

function webhook(
  workloads: readonly WorkloadFacts[],
  configuration: unknown,
  slices: readonly unknown[] | null,
): WebhookFacts | null {
  const installed = workloads.some(({ name }) => name === WEBHOOK_NAME);
  if (configuration === undefined && !installed) return null;
  return {
    configured: configuration !== undefined,
    bundles: bundleFacts(configuration),
    readyEndpoints: slices === null ? null : readyAddresses(slices),
  };
}
