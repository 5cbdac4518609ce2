import { type ManifestValues, PLUGIN_NAME } from "@confcom/kubernetes";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";

interface PluginTemplate {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly name: string }[]; readonly nodeSelector: object };
    };
  };
}

/** The DaemonSet's pod once more, with the plugin alone in it and other values, on one node. */
export function lonePlugin(scene: ClusterScene, name: string, node: string, values: Partial<ManifestValues>): object {
  const set = scene.manifests(values, "plugin").find(({ kind }) => kind === "DaemonSet");
  const { spec } = (set as unknown as PluginTemplate).spec.template;
  const containers = spec.containers.filter((container) => container.name === PLUGIN_NAME);
  const nodeSelector = { ...spec.nodeSelector, "kubernetes.io/hostname": node };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: { ...spec, containers, nodeSelector },
  };
}
