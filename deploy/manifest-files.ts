import { manifestYaml } from "../packages/kubernetes/src/manifests/manifest-yaml.ts";
import { renderManifests } from "../packages/kubernetes/src/manifests/render-manifests.ts";
import { manifestValues } from "../packages/kubernetes/src/manifests/values.ts";

const INSTALLATIONS = [
  { name: "confcom.yaml", command: "confcom manifests", values: {} },
  {
    name: "confcom-intel-names.yaml",
    command: "confcom manifests --set resourceNames=intel",
    values: { resourceNames: "intel" },
  },
] as const;

/** What `confcom manifests` prints, for those who have only kubectl: files by their names in this directory. */
export function manifestFiles(version: string): ReadonlyMap<string, string> {
  return new Map(
    INSTALLATIONS.map(({ name, command, values }) => [
      name,
      `# Written by: ${command}\n# Do not change it here; docs/kubernetes.md lists the values.\n` +
        manifestYaml(renderManifests(manifestValues(values), { version })),
    ]),
  );
}
