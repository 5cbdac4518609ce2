import { ApiError } from "../../api/api-error.ts";
import { ADDON_CONFIG_MAP, PART_OF_LABEL } from "../../manifests/object-names.ts";
import type { ClusterAccess, ClusterObject } from "../cluster-access.ts";
import { type ObjectReference, reference, referenceKey } from "../object-reference.ts";
import { FIELD_MANAGER } from "../profile.ts";
import { INSTALLED_KINDS } from "../resource-kinds.ts";

/** An object that the add-on made, as it is in the cluster now. */
export interface OwnedObject {
  readonly reference: ObjectReference;
  readonly uid: string | undefined;
}

/**
 * Every object that the add-on applied: those with its label, and those of the inventory, which may be of kinds that this
 * version does not know. Objects that another manager applied are never among them, whatever their names and labels.
 */
export async function ownedObjects(
  access: ClusterAccess,
  inventory: readonly ObjectReference[],
): Promise<readonly OwnedObject[]> {
  const owned = new Map<string, OwnedObject>();
  const add = (of: ObjectReference, object: ClusterObject): void => {
    if (isOurs(object) && of.name !== ADDON_CONFIG_MAP) {
      owned.set(referenceKey(of), { reference: of, uid: object.metadata.uid });
    }
  };
  for (const kind of INSTALLED_KINDS) {
    for (const object of await access.list(kind, { labelSelector: `${PART_OF_LABEL}=confcom` })) {
      add(reference(kind, object.metadata.name, object.metadata.namespace), object);
    }
  }
  for (const of of inventory) {
    if (owned.has(referenceKey(of))) continue;
    const object = await access.get(of).catch((error: unknown) => {
      // Written by hand into the state: the server knows no such path.
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return undefined;
      throw error;
    });
    if (object !== undefined) add(of, object);
  }
  return [...owned.values()];
}

/** Whether the add-on applied the object. */
export function isOurs({ metadata }: ClusterObject): boolean {
  return (metadata.managedFields ?? []).some(({ manager, operation }) => {
    return manager === FIELD_MANAGER && operation === "Apply";
  });
}

const ORDER = new Map(INSTALLED_KINDS.map(({ resource }, index) => [resource, index]));

/** In the order in which objects are taken away; kinds of other versions before all that is known. */
export function inRemovalOrder(objects: readonly OwnedObject[]): readonly OwnedObject[] {
  const rank = ({ reference: { resource } }: OwnedObject) => ORDER.get(resource) ?? -1;
  return [...objects].sort((a, b) => rank(a) - rank(b));
}
