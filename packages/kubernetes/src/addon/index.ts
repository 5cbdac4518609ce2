export { KubernetesError } from "../errors.ts";
export { HttpClusterAccess } from "./access/http-cluster-access.ts";
export {
  connectByKubeconfig,
  type KubeconfigChoice,
  type KubeconfigConnection,
} from "./access/kubeconfig-connection.ts";
export type { ClusterAccess, ClusterObject } from "./cluster-access.ts";
export { type Disabled, type DisableOptions, disableAddon } from "./life-cycle/disable.ts";
export { type Enabled, type EnableOptions, enableAddon } from "./life-cycle/enable.ts";
export { listAddons, showAddon } from "./life-cycle/inspect.ts";
export type { LifeCycleOptions, ObjectChange, Progress } from "./life-cycle/life-cycle-options.ts";
export type { OutsidePccsTrust } from "./life-cycle/trust-objects.ts";
export {
  ADDON_KEY,
  ADDON_NAME,
  type AddonProfile,
  type ListedAddon,
  QUOTE_HELPER_SETTING,
  type ShownAddon,
  USUAL_NAMESPACE,
} from "./profile.ts";
export type { AddonState, FoundState, Phase } from "./state/addon-state.ts";
export { readState } from "./state/state-config-map.ts";
export { findState } from "./state/state-store.ts";
export * from "./status/index.ts";
export { yamlText } from "./yaml-text.ts";
