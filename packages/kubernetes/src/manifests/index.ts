export type { KubernetesObject } from "./kubernetes-object.ts";
export type { ManifestValues } from "./manifest-values.ts";
export { manifestYaml } from "./manifest-yaml.ts";
export {
  NODE_STATUS_PORT,
  PART_OF_LABEL,
  PLUGIN_NAME,
  PLUGIN_PORT,
  QUOTE_HELPER_NAME,
  QUOTE_HELPER_PORT,
} from "./object-names.ts";
export { MANIFEST_PARTS, type ManifestPart } from "./object-template.ts";
export { parseValues } from "./parse-values.ts";
export { type RenderOptions, renderManifests } from "./render-manifests.ts";
export { setValue } from "./set-value.ts";
export { DEFAULT_VALUES, manifestValues } from "./values.ts";
