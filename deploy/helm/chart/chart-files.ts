import type { KubernetesObject } from "../../../packages/kubernetes/src/manifests/kubernetes-object.ts";
import type { ObjectTemplate } from "../../../packages/kubernetes/src/manifests/object-template.ts";
import { OBJECT_TEMPLATES } from "../../../packages/kubernetes/src/manifests/object-templates.ts";
import { PART_CONDITIONS } from "../../../packages/kubernetes/src/manifests/render-manifests.ts";
import { VALUES_READER } from "../../../packages/kubernetes/src/manifests/values.ts";
import type { PrintScope } from "../print/helm-expression.ts";
import { helmTemplate } from "../print/helm-template.ts";
import { refusals } from "./refusals.ts";
import { CHART_README, chartYaml, NOTES } from "./texts.ts";
import { schemaText, valuesSchema } from "./values-schema.ts";
import { valuesYaml } from "./values-yaml.ts";

const GENERATED = "# Written by `npm run manifests` from packages/kubernetes/src/manifests; do not change it here.\n";

/** Every file of the chart by its path in it. */
export function chartFiles(version: string): ReadonlyMap<string, string> {
  const scope: PrintScope = { schema: VALUES_READER.schema, root: "" };
  const files = new Map<string, string>([
    ["Chart.yaml", GENERATED + chartYaml(version)],
    ["values.yaml", GENERATED + valuesYaml()],
    ["values.schema.json", schemaText(valuesSchema())],
    ["README.md", CHART_README],
    ["templates/NOTES.txt", NOTES],
    ["templates/refusals.yaml", refusals(scope)],
  ]);
  for (const template of OBJECT_TEMPLATES) {
    const path = `templates/${template.part}/${fileName(template)}`;
    if (files.has(path)) throw new TypeError(`two objects are ${path}`);
    const conditions = [PART_CONDITIONS[template.part], template.when].filter((one) => one !== undefined);
    files.set(path, helmTemplate(template.object, conditions, scope));
  }
  return files;
}

function fileName({ object }: ObjectTemplate): string {
  const { kind, metadata } = object as KubernetesObject;
  if (typeof kind !== "string" || typeof metadata.name !== "string") {
    throw new TypeError("which object it is does not depend on values");
  }
  return `${kind.toLowerCase()}-${metadata.name}.yaml`;
}
