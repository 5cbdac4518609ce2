import type { ClusterScene } from "../scene.ts";

type Json = Record<string, unknown>;

const KINDS = [
  "daemonsets,deployments,services,poddisruptionbudgets,serviceaccounts,configmaps,secrets,persistentvolumeclaims",
  "roles,rolebindings,clusterroles,clusterrolebindings",
  "mutatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings",
].join(",");

/** What the API server, controllers and daemons write into objects by themselves. */
const WRITTEN_BY_OTHERS =
  /^(uid|resourceVersion|generation|creationTimestamp|managedFields|annotations|status|caBundle|volumeName|clusterIPs?|data|finalizers)$/;

/** Every object of the installation as it was applied, one text each, in order. */
export async function installedObjects(scene: ClusterScene): Promise<readonly string[]> {
  const argv = ["get", KINDS, "-A", "-l", "app.kubernetes.io/part-of=confcom", "-o", "json"];
  const { items } = JSON.parse((await scene.cluster.kubectl(argv)).stdout) as { items: readonly Json[] };
  return items.map((item) => JSON.stringify(applied(item))).sort();
}

function applied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(applied);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !WRITTEN_BY_OTHERS.test(key));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, applied(one)]));
}

/** Kinds that come and go by themselves in any cluster. */
const TRANSIENT =
  /^(events(\.|$)|leases\.|pods$|endpoints$|endpointslices\.|controllerrevisions\.|replicasets\.|componentstatuses|nodes\.metrics|pods\.metrics)/;

/** Names of all objects of every kind that can be listed, and what the nodes show, but for the resources left out. */
export async function everyObject(scene: ClusterScene, leftOut: readonly string[] = []): Promise<readonly string[]> {
  const { stdout } = await scene.cluster.kubectl(["api-resources", "--verbs=list", "-o", "name"]);
  const kinds = stdout
    .trim()
    .split("\n")
    .filter((kind) => !TRANSIENT.test(kind));
  const listed = await scene.cluster.kubectl([
    "get",
    kinds.join(","),
    "-A",
    "--ignore-not-found",
    "-o",
    'jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}',
  ]);
  const nodes = (await scene.api.nodes()).map(({ metadata, status }) => {
    const { labels = {}, annotations = {} } = metadata;
    const shown = { labels, annotations: Object.keys(annotations), ...resourcesOf(status, leftOut) };
    return `node ${metadata.name} ${JSON.stringify(applied(shown))} ${Object.keys(annotations).sort().join()}`;
  });
  return [...listed.stdout.trim().split("\n"), ...nodes].sort();
}

function resourcesOf({ capacity, allocatable }: { capacity: Json; allocatable: Json }, leftOut: readonly string[]) {
  const shown = (all: Json) => Object.fromEntries(Object.entries(all).filter(([name]) => !leftOut.includes(name)));
  return { capacity: shown(capacity), allocatable: shown(allocatable) };
}

/** `+` for what came, `-` for what went. */
export function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...after.filter((one) => !old.has(one)).map((one) => `+ ${one}`),
    ...before.filter((one) => !now.has(one)).map((one) => `- ${one}`),
  ];
}
