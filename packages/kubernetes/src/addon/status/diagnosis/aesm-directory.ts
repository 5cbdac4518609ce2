import { QUOTE_RESOURCE } from "../../../names.ts";
import type { ContainerFacts, PodFacts } from "../facts/pod-facts.ts";
import { aesmMount, asksFor, isAesm, optsIn } from "../figures/quote-mode.ts";
import type { ClusterView } from "./cluster-view.ts";
import { missedByWebhook } from "./missed-by-webhook.ts";
import { type Problem, podName, problem } from "./problem.ts";

/** Ways to ask for the helper's quotes and not to reach its socket. At most one for each container. */
export function aesmDirectoryProblems(view: ClusterView): Problem[] {
  return view.applications.flatMap((pod) =>
    pod.containers
      .filter((container) => optsIn(pod, container, view.aesmDirectory))
      .flatMap((container) => containerProblem(view, pod, container) ?? []),
  );
}

function containerProblem(view: ClusterView, pod: PodFacts, container: ContainerFacts): Problem | undefined {
  const name = `container ${container.name}`;
  const mount = aesmMount(container, view.aesmDirectory);
  if (mount === undefined) {
    if (asksFor(container, QUOTE_RESOURCE)) return undefined;
    const missed = missedByWebhook(view, pod);
    return problem(
      "OPT_IN_WITHOUT_SOCKET",
      podName(pod),
      `${name} opts in and got neither a slot of ${QUOTE_RESOURCE} nor ${view.aesmDirectory}${missed.cause}`,
      missed.remedy,
    );
  }
  const volume = pod.volumes.find((each) => each.name === mount.volume);
  const path = volume?.hostPath?.path.replace(/\/+$/, "") ?? "";
  if (mount.path.endsWith("/aesm.socket") || mount.subPath !== "" || path.endsWith("/aesm.socket")) {
    return problem("SOCKET_FILE_MOUNTED", podName(pod), `${name} mounts ${path || mount.subPath} at ${mount.path}`);
  }
  if (volume === undefined || volume.hostPath === null) {
    // An AESM service in the same pod makes its socket in the volume that they share.
    const shares = ({ mounts }: ContainerFacts) => mounts.some((each) => each.volume === mount.volume);
    if (volume === undefined || pod.containers.some((other) => isAesm(other) && shares(other))) return undefined;
    const cause = `${name} has a volume of the pod (${mount.volume}) at ${mount.path}`;
    return problem("AESM_DIRECTORY_EMPTY", podName(pod), cause);
  }
  if (!sameDirectory(path, view.aesmDirectory)) {
    const cause = `${name} mounts the host's ${path}; the helper's socket is in ${view.aesmDirectory}`;
    return problem("AESM_DIRECTORY_EMPTY", podName(pod), cause);
  }
  if (!["", "Directory", "DirectoryOrCreate"].includes(volume.hostPath.type)) {
    return problem("AESM_DIRECTORY_TYPE", podName(pod), `${name} mounts ${path} as type ${volume.hostPath.type}`);
  }
  return undefined;
}

/** `/var/run` is `/run` on every distribution that runs Kubernetes. */
function sameDirectory(a: string, b: string): boolean {
  const plain = (path: string) => path.replace(/^\/var\/run\//, "/run/");
  return plain(a) === plain(b);
}
