import { KubernetesError } from "../../errors.ts";
import type { KubernetesObject } from "../../manifests/kubernetes-object.ts";
import type { ManifestValues } from "../../manifests/manifest-values.ts";
import { renderManifests } from "../../manifests/render-manifests.ts";
import { CAPABLE_LABEL } from "../../names.ts";
import type { ClusterAccess } from "../cluster-access.ts";
import { describeReference, type ObjectReference, referenceKey, referenceTo } from "../object-reference.ts";
import { type AddonProfile, enabledProfile, USUAL_NAMESPACE } from "../profile.ts";
import { CONFIG_MAPS, NAMESPACES, NODES, PERSISTENT_VOLUME_CLAIMS, SECRETS } from "../resource-kinds.ts";
import type { AddonState, FoundState } from "../state/addon-state.ts";
import { StateStore } from "../state/state-store.ts";
import { applyObjects, rehearse } from "./apply-objects.ts";
import { firstLook } from "./first-look.ts";
import { installationValues, mergedValues } from "./installation-values.ts";
import type { LifeCycleOptions, ObjectChange } from "./life-cycle-options.ts";
import { inRemovalOrder, type OwnedObject, ownedObjects } from "./owned-objects.ts";
import { rolledOut } from "./roll-out.ts";
import { type OutsidePccsTrust, trustObjects } from "./trust-objects.ts";

export interface EnableOptions extends LifeCycleOptions {
  /** `update` changes an add-on that is enabled; `enable` refuses to, unless it was interrupted. */
  readonly verb: "enable" | "update";
  readonly quoteHelper: boolean;
  /** Over those of the last time, unless `resetValues`. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly resetValues: boolean;
  /** Undefined: as the last time. */
  readonly registry: string | undefined;
  readonly trust: OutsidePccsTrust;
  readonly forceConflicts: boolean;
  readonly dryRun: boolean;
}

export interface Enabled {
  readonly profile: AddonProfile;
  readonly namespace: string;
  /** The confcom that was there before; null: none. */
  readonly previousVersion: string | null;
  readonly objects: readonly ObjectChange[];
  /** Nodes labelled as having SGX, once everything is ready; null: not waited for. */
  readonly capableNodes: number | null;
}

/** Kubernetes 1.32: service account tokens say on which node they are used. */
const OLDEST_MINOR = 32;

/**
 * Brings the cluster to an installation with these values, from whatever an earlier command left: everything is rehearsed
 * first, the state says before and after what there is, and each step may be repeated. Throws KubernetesError
 * `ADDON_ENABLED`, `ADDON_NOT_ENABLED`, `ADDON_DISABLING`, `ADDON_CONFLICT`, `ADDON_NAMESPACE_MISSING`, `ADDON_NOT_READY`,
 * `CLUSTER_TOO_OLD`, `MANIFEST_VALUE`, those of the state, and ApiError.
 */
export async function enableAddon(given: EnableOptions): Promise<Enabled> {
  const { options, deadline, found } = await firstLook(given);
  const { access, clock, progress, version } = options;
  checkPhase(options.verb, found);
  await checkVersion(options);

  const previous = found === undefined || found.phase === "disabled" ? undefined : found;
  const chosen = mergedValues(options.resetValues ? {} : (previous?.values ?? {}), options.values);
  const registry = options.registry ?? (options.resetValues ? null : (previous?.registry ?? null));
  const namespace = found?.namespace ?? options.namespace ?? namespaceIn(chosen);
  const { quoteHelper } = options;
  const values = installationValues({ given: chosen, namespace, quoteHelper, registry, version });
  const objects = [...renderManifests(values, { version }), ...trustObjects(values, options.trust)].sort(
    namespaceFirst,
  );
  checkTrust(values, options.trust);
  if (found !== undefined && found.version !== version) progress.detail(`from confcom ${found.version} to ${version}`);
  const profile = enabledProfile(quoteHelper);
  const result = { profile, namespace, previousVersion: found?.version ?? null, capableNodes: null };

  progress.step("rehearsed");
  const changes = await rehearse(access, objects, options.forceConflicts);
  const { stale, kept } = await staleObjects(options, objects, values, found);
  const pruned = stale.map(({ reference }) => ({ object: describeReference(reference), action: "pruned" as const }));
  const staying = kept.map((reference) => ({ object: describeReference(reference), action: "kept" as const }));
  const all = [...changes, ...pruned, ...staying];
  progress.detail(countText(all));
  if (options.dryRun) return { ...result, objects: all };

  const store = new StateStore(access, namespace, found);
  const wanted = [...objects.map(referenceTo), ...kept];
  const state: AddonState = { phase: "enabling", version, profile, values: chosen, registry, inventory: wanted };
  const before: AddonState = { ...state, inventory: union(wanted, found?.inventory ?? []) };
  progress.step("applied");
  // The state lies in the namespace, which may be one of the objects.
  const namespaces = objects.filter(({ kind }) => kind === "Namespace");
  await applyObjects(access, namespaces, options.forceConflicts);
  await store.write(before);
  const others = objects.filter((object) => !namespaces.includes(object));
  await applyObjects(access, others, options.forceConflicts);
  if (stale.length > 0) progress.step("pruned");
  for (const { reference, uid } of inRemovalOrder(stale)) await access.delete(reference, { uid });
  if (options.wait) await rolledOut(objects, { access, clock, progress, deadline });
  await store.write({ ...state, phase: "enabled" });
  const capableNodes = options.wait ? await countCapableNodes(access) : null;
  return { ...result, objects: all, capableNodes };
}

function checkPhase(verb: EnableOptions["verb"], found: FoundState | undefined): void {
  if (found?.phase === "disabling") {
    throw new KubernetesError("ADDON_DISABLING", `the add-on in ${found.namespace} is being disabled`);
  }
  if (verb === "enable" && found?.phase === "enabled") {
    throw new KubernetesError("ADDON_ENABLED", "The confcom addon is already enabled for this managed cluster.");
  }
  if (verb === "update" && (found === undefined || !found.profile.enabled)) {
    throw new KubernetesError("ADDON_NOT_ENABLED", 'Addon "confcom" is not enabled in this cluster.');
  }
}

/** Files about a PCCS that nobody is told to use are a mistake of the caller. */
function checkTrust({ pccs }: ManifestValues, trust: OutsidePccsTrust): void {
  const given = Object.values(trust).some((one) => one !== undefined);
  if (!given || (pccs.enabled && pccs.url !== null)) return;
  const message = "certificates and token of a PCCS were given, but no PCCS outside of the cluster is used";
  throw new KubernetesError("MANIFEST_VALUE", message, {
    nextStep: "name it with --pccs-url, and give --enable-sgxquotehelper: without quote helpers there is no use for it",
  });
}

async function checkVersion({ access }: EnableOptions): Promise<void> {
  const [major, minor] = await access.version();
  if (major > 1 || minor >= OLDEST_MINOR) return;
  throw new KubernetesError("CLUSTER_TOO_OLD", `the API server is of Kubernetes ${major}.${minor}`);
}

function namespaceIn(given: Readonly<Record<string, unknown>>): string {
  return typeof given.namespace === "string" ? given.namespace : USUAL_NAMESPACE;
}

function namespaceFirst(a: KubernetesObject, b: KubernetesObject): number {
  return Number(b.kind === "Namespace") - Number(a.kind === "Namespace");
}

/**
 * What the add-on made and no longer wants. A forgotten flag must not cost a CA: claims stay until `disable`, and so do
 * namespaces and what helpers trust.
 */
async function staleObjects(
  { access }: EnableOptions,
  objects: readonly KubernetesObject[],
  { namespace, pccs }: ManifestValues,
  found: FoundState | undefined,
): Promise<{ readonly stale: readonly OwnedObject[]; readonly kept: readonly ObjectReference[] }> {
  const wanted = new Set(objects.map((object) => referenceKey(referenceTo(object))));
  const owned = await ownedObjects(access, found?.inventory ?? []);
  const unwanted = owned.filter(({ reference }) => !wanted.has(referenceKey(reference)));
  const staying = ({ reference: { resource, name, namespace: where } }: OwnedObject): boolean =>
    resource === PERSISTENT_VOLUME_CLAIMS.resource ||
    resource === NAMESPACES.resource ||
    (where === namespace && resource === CONFIG_MAPS.resource && name === pccs.trustConfigMap) ||
    (where === namespace && resource === SECRETS.resource && name === pccs.userTokenSecret);
  return {
    stale: unwanted.filter((object) => !staying(object)),
    kept: unwanted.filter(staying).map(({ reference }) => reference),
  };
}

function union(a: readonly ObjectReference[], b: readonly ObjectReference[]): readonly ObjectReference[] {
  return [...new Map([...a, ...b].map((one) => [referenceKey(one), one])).values()];
}

async function countCapableNodes(access: ClusterAccess): Promise<number> {
  return (await access.list(NODES, { labelSelector: `${CAPABLE_LABEL}=true` })).length;
}

function countText(changes: readonly ObjectChange[]): string {
  const counts = new Map<string, number>();
  for (const { action } of changes) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].map(([action, count]) => `${count} ${action}`).join(", ");
}
