import { PLUGIN_NAME } from "../../../manifests/object-names.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Problem, problem } from "./problem.ts";

/** Daemons of different versions: an update that did not finish. */
export function versionProblems(view: ClusterView): Problem[] {
  const pods = new Map<string, string[]>();
  for (const { version, daemon, pod } of view.snapshot.daemons) {
    if (version !== "") pods.set(version, [...(pods.get(version) ?? []), `${daemon} of ${pod}`]);
  }
  if (pods.size < 2) return [];
  const cause = [...pods].map(
    ([version, names]) => `${version}: ${names.length === 1 ? names[0] : `${names.length} daemons`}`,
  );
  const object = { kind: "DaemonSet", namespace: view.snapshot.namespace, name: PLUGIN_NAME };
  return [problem("VERSION_SKEW", object, cause.sort().join("; "))];
}
