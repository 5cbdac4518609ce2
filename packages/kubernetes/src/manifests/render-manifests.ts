import { nodeStatusAdmissionPolicies } from "../node-status/admission-policy.ts";
import { pluginAccess, serviceAccount } from "./access.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";
import { labelsOf, PLUGIN_NAME, QUOTE_HELPER_NAME } from "./object-names.ts";
import { pluginDaemonSet } from "./plugin-daemon-set.ts";
import { quoteHelperDaemonSet } from "./quote-helper-daemon-set.ts";
import type { ManifestValues } from "./values.ts";

export type ManifestPart = "plugin" | "quote-helper";

export interface RenderOptions {
  /** Of the image, where the values name none. */
  readonly version: string;
  /** One of the two DaemonSets with what belongs to it; default: both, the helper only where it is enabled. */
  readonly only?: ManifestPart | undefined;
}

/** The objects of an installation, in the order in which they are to be applied. */
export function renderManifests(values: ManifestValues, options: RenderOptions): readonly KubernetesObject[] {
  const { namespace } = values;
  const plugin = options.only !== "quote-helper";
  const helper = options.only === undefined ? values.quoteHelper.enabled : options.only === "quote-helper";
  return [
    ...(values.createNamespace ? [namespaceObject(namespace)] : []),
    ...(plugin ? pluginIdentity(namespace) : []),
    ...(helper ? [serviceAccount(QUOTE_HELPER_NAME, namespace)] : []),
    ...(plugin ? [pluginDaemonSet(values, options.version)] : []),
    ...(helper ? [quoteHelperDaemonSet(values, options.version)] : []),
  ];
}

/** The policies come before the rights that they narrow. */
function pluginIdentity(namespace: string): readonly KubernetesObject[] {
  const labels = labelsOf(PLUGIN_NAME);
  return [
    serviceAccount(PLUGIN_NAME, namespace),
    ...nodeStatusAdmissionPolicies({ namespace, serviceAccount: PLUGIN_NAME, labels }),
    ...pluginAccess(namespace),
  ];
}

/** Both DaemonSets mount directories of the host, which only the level "privileged" allows. */
function namespaceObject(name: string): KubernetesObject {
  const labels = { ...labelsOf(PLUGIN_NAME), "pod-security.kubernetes.io/enforce": "privileged" };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}
