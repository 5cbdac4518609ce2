import { KubernetesError } from "../../errors.ts";
import type { ClusterAccess } from "../cluster-access.ts";
import { ADDON_KEY, ADDON_NAME, type ListedAddon, type ShownAddon } from "../profile.ts";
import { findState } from "../state/state-store.ts";

/** The add-ons of the cluster; there is one. Throws as {@link findState} does. */
export async function listAddons(access: ClusterAccess, namespace?: string): Promise<readonly ListedAddon[]> {
  const state = await findState(access, namespace);
  return [{ api_key: ADDON_KEY, enabled: state?.profile.enabled ?? false, name: ADDON_NAME }];
}

/** Throws KubernetesError `ADDON_NOT_ENABLED`, and as {@link findState} does. */
export async function showAddon(access: ClusterAccess, namespace?: string): Promise<ShownAddon> {
  const profile = (await findState(access, namespace))?.profile;
  if (!profile?.enabled) {
    throw new KubernetesError("ADDON_NOT_ENABLED", `Addon "${ADDON_NAME}" is not enabled in this cluster.`);
  }
  return { api_key: ADDON_KEY, config: profile.config, identity: null, name: ADDON_NAME };
}
