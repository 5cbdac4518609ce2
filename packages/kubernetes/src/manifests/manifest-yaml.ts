import { stringify } from "yaml";
import type { KubernetesObject } from "./kubernetes-object.ts";

/**
 * The objects as YAML documents. Written by the rules of YAML 1.1, which kubectl reads by: text such as `1`, `on`, `y`
 * or `0x1` is quoted, as values and as keys (spec: Kubernetes §8).
 */
export function manifestYaml(objects: readonly KubernetesObject[]): string {
  const documents = objects.map((object) =>
    stringify(object, { version: "1.1", aliasDuplicateObjects: false, lineWidth: 0, indentSeq: false }),
  );
  return documents.map((text) => `---\n${text}`).join("");
}
