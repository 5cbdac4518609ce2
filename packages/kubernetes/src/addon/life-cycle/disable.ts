import { KubernetesError } from "../../errors.ts";
import {
  ADDON_CONFIG_MAP,
  PART_OF_LABEL,
  PCCS_USER_TOKEN_SECRET,
  QUOTE_ROOT_CONFIG_MAP,
  WEBHOOK_AUTHORITY_SECRET,
} from "../../manifests/object-names.ts";
import type { ClusterAccess } from "../cluster-access.ts";
import { describeReference, type ObjectReference, reference, referenceKey } from "../object-reference.ts";
import { type AddonProfile, DISABLED_PROFILE, USUAL_NAMESPACE } from "../profile.ts";
import {
  CONFIG_MAPS,
  DAEMON_SETS,
  DEPLOYMENTS,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
} from "../resource-kinds.ts";
import type { AddonState, FoundState } from "../state/addon-state.ts";
import { StateStore } from "../state/state-store.ts";
import { anyTraces, cleanNodes, type LeftOnNode } from "./clean-nodes.ts";
import { firstLook } from "./first-look.ts";
import type { LifeCycleOptions, ObjectChange } from "./life-cycle-options.ts";
import { inRemovalOrder, type OwnedObject, ownedObjects } from "./owned-objects.ts";
import { describeHolders, resourceHolders } from "./resource-holders.ts";
import { waitUntil } from "./wait-until.ts";

export interface DisableOptions extends LifeCycleOptions {
  /** Although pods hold SGX resources. */
  readonly force: boolean;
  /** Keeps the PCCS's claim, what helpers trust and the values, so that the next `enable` has the same root. */
  readonly keepState: boolean;
  readonly dryRun: boolean;
}

export interface Disabled {
  readonly profile: AddonProfile;
  readonly namespace: string;
  readonly objects: readonly ObjectChange[];
  /** What kubelets still showed at the end. */
  readonly left: readonly LeftOnNode[];
}

const LOOK_EVERY = 500;

/**
 * Takes away everything that the add-on made: its objects, those that its daemons made, and what they wrote on nodes. May be
 * interrupted and run again. Throws KubernetesError `ADDON_NOT_INSTALLED`, `ADDON_IN_USE` with the pods that hold SGX
 * resources, `ADDON_NOT_READY` where its own pods do not end, those of the state, and ApiError.
 */
export async function disableAddon(given: DisableOptions): Promise<Disabled> {
  const { options, deadline, found } = await firstLook(given);
  const { access, clock, progress, version } = options;
  const owned = await ownedObjects(access, found?.inventory ?? []);
  const namespace = found?.namespace ?? options.namespace ?? namespaceOf(owned) ?? USUAL_NAMESPACE;
  const absent = found === undefined && owned.length === 0;
  if (absent && ((await installedOtherwise(access)) || !(await anyTraces(access)))) {
    throw new KubernetesError("ADDON_NOT_INSTALLED", "The addon ACCSGXDevicePlugin is not installed.");
  }
  if (!options.force) await refuseWhileHeld(access, namespace);

  const made = absent ? [] : await madeByDaemons(access, namespace);
  const removable = inRemovalOrder(distinct([...owned, ...made])).filter(({ reference: { resource } }) => {
    return resource !== NAMESPACES.resource;
  });
  const removed = removable.filter((object) => !(options.keepState && isKept(object)));
  const change = (action: "pruned" | "kept") => (object: OwnedObject) => {
    return { object: describeReference(object.reference), action };
  };
  const kept = removable.filter((object) => !removed.includes(object));
  const objects = [...removed.map(change("pruned")), ...kept.map(change("kept"))];
  const result = { profile: DISABLED_PROFILE, namespace, objects };
  if (options.dryRun) return { ...result, left: [] };

  const store = new StateStore(access, namespace, found);
  const state = disablingState(found, owned, version);
  const hasNamespace = (await access.get(reference(NAMESPACES, namespace))) !== undefined;
  if (hasNamespace) await store.write(state);
  progress.step("removed");
  const workloads = removed.filter(isWorkload);
  const acting = removed.filter(({ reference: { resource } }) => resource.endsWith("webhookconfigurations"));
  for (const { reference: of, uid } of [...acting, ...workloads]) await access.delete(of, { uid });
  progress.step("own pods ended");
  // While one of them runs it writes again what is taken away below.
  await podsEnded(options, namespace, deadline);
  progress.step("rights and records removed");
  // Daemons may have made some anew before they ended.
  const late = (absent ? [] : await madeByDaemons(access, namespace)).filter(
    (object) => !(options.keepState && isKept(object)),
  );
  for (const { reference: of, uid } of [...removed.filter((object) => !workloads.includes(object)), ...late]) {
    await access.delete(of, { uid });
  }
  progress.step("nodes cleaned");
  const left = await cleanNodes({ access, clock, progress, deadline: options.wait ? deadline : null });
  if (options.keepState) {
    await store.write({ ...state, phase: "disabled", inventory: kept.map(({ reference: of }) => of) });
  } else {
    await store.remove();
    await removeNamespaces(options, owned);
  }
  return { ...result, left };
}

/** By `kubectl apply` or Helm: what its daemons made and write on nodes is theirs. */
async function installedOtherwise(access: ClusterAccess): Promise<boolean> {
  const [set] = await access.list(DAEMON_SETS, { labelSelector: `${PART_OF_LABEL}=confcom` });
  return set !== undefined;
}

async function refuseWhileHeld(access: ClusterAccess, namespace: string): Promise<void> {
  const holders = await resourceHolders(access, namespace);
  if (holders.length === 0) return;
  const message = `pods hold SGX resources (${holders.length}): ${describeHolders(holders)}`;
  throw new KubernetesError("ADDON_IN_USE", message);
}

function distinct(objects: readonly OwnedObject[]): readonly OwnedObject[] {
  return [...new Map(objects.map((object) => [referenceKey(object.reference), object])).values()];
}

function namespaceOf(owned: readonly OwnedObject[]): string | undefined {
  return owned.find(isWorkload)?.reference.namespace;
}

const isWorkload = ({ reference: { resource } }: OwnedObject): boolean =>
  resource === DAEMON_SETS.resource || resource === DEPLOYMENTS.resource;

/** The webhook's authority is nobody's root of trust: a new one is made with the next webhook. */
const isKept = ({ reference: { resource, name } }: OwnedObject): boolean =>
  resource === PERSISTENT_VOLUME_CLAIMS.resource ||
  resource === CONFIG_MAPS.resource ||
  (resource === SECRETS.resource && name !== WEBHOOK_AUTHORITY_SECRET);

/** What webhook and PCCS make inside the cluster, because it is secret or only they know it. */
async function madeByDaemons(access: ClusterAccess, namespace: string): Promise<readonly OwnedObject[]> {
  const places: readonly ObjectReference[] = [
    reference(SECRETS, WEBHOOK_AUTHORITY_SECRET, namespace),
    reference(SECRETS, PCCS_USER_TOKEN_SECRET, namespace),
    reference(CONFIG_MAPS, QUOTE_ROOT_CONFIG_MAP, namespace),
  ];
  const found = await Promise.all(places.map((of) => access.get(of)));
  return places.flatMap((of, index) => {
    const object = found[index];
    return object === undefined ? [] : [{ reference: of, uid: object.metadata.uid }];
  });
}

function disablingState(found: FoundState | undefined, owned: readonly OwnedObject[], version: string): AddonState {
  return {
    phase: "disabling",
    version,
    profile: DISABLED_PROFILE,
    values: found?.values ?? {},
    registry: found?.registry ?? null,
    inventory: found?.inventory ?? owned.map(({ reference: of }) => of),
  };
}

async function podsEnded(options: DisableOptions, namespace: string, deadline: number): Promise<void> {
  const { access, clock, progress } = options;
  const why = await waitUntil({ clock, progress, deadline, every: LOOK_EVERY }, async () => {
    const pods = await access.list(PODS, { namespace, labelSelector: `${PART_OF_LABEL}=confcom` });
    const names = pods.slice(0, 5).map(({ metadata }) => metadata.name);
    return pods.length === 0 ? undefined : `${pods.length} pods still end: ${names.join(", ")}`;
  });
  if (why !== undefined) throw new KubernetesError("ADDON_NOT_READY", why);
}

/** What every namespace has by itself. */
const EVERYWHERE: ReadonlySet<string> = new Set(["configmaps/kube-root-ca.crt", "serviceaccounts/default"]);

/** A namespace that the add-on made goes too, unless somebody else's objects are in it by now. */
async function removeNamespaces(options: DisableOptions, owned: readonly OwnedObject[]): Promise<void> {
  const { access, progress } = options;
  for (const { reference: of, uid } of owned) {
    if (of.resource !== NAMESPACES.resource) continue;
    const others: string[] = [];
    const serviceAccounts = { ...CONFIG_MAPS, kind: "ServiceAccount", resource: "serviceaccounts" };
    for (const kind of [
      PODS,
      CONFIG_MAPS,
      SECRETS,
      PERSISTENT_VOLUME_CLAIMS,
      DEPLOYMENTS,
      DAEMON_SETS,
      serviceAccounts,
    ]) {
      const objects = await access.list(kind, { namespace: of.name });
      others.push(
        ...objects
          .filter(({ metadata }) => metadata.deletionTimestamp === undefined && metadata.name !== ADDON_CONFIG_MAP)
          .map(({ metadata }) => `${kind.resource}/${metadata.name}`)
          .filter((name) => !EVERYWHERE.has(name)),
      );
    }
    if (others.length === 0) await access.delete(of, { uid });
    else progress.detail(`the namespace ${of.name} stays: it holds ${others.slice(0, 5).join(", ")}`);
  }
}
