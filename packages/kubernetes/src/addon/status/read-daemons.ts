import { PCCS_NAME } from "../../manifests/object-names.ts";
import { boundedConcurrency } from "../bounded-concurrency.ts";
import type { StatusAccess } from "./access.ts";
import { DAEMONS, type DaemonFacts, daemonFacts, unreadDaemon } from "./facts/daemon-facts.ts";
import type { PodFacts } from "./facts/pod-facts.ts";
import { failureText } from "./reading.ts";

/** Of one daemon's `/status`. */
const BOUNDS = { timeoutMs: 3000, sizeLimit: 1 << 20 };
const AT_A_TIME = 16;

/** What every running daemon of ours says about itself, asked through the API server's pod proxy. Never rejects. */
export function readDaemons(
  access: StatusAccess,
  namespace: string,
  pods: readonly PodFacts[],
  signal?: AbortSignal,
): Promise<DaemonFacts[]> {
  const running = pods.filter((pod) => pod.namespace === namespace && pod.phase === "Running" && !pod.deleting);
  const places = running.flatMap((pod) =>
    DAEMONS.filter(({ component }) => pod.labels.get("app") === component)
      .filter(({ component }) => component !== PCCS_NAME || pod.containers.some(({ name }) => name === "pccs"))
      .map((daemon) => ({ pod, daemon })),
  );
  const bounds = { ...BOUNDS, ...(signal === undefined ? {} : { signal }) };
  return boundedConcurrency(places, AT_A_TIME, async ({ pod, daemon }) => {
    const place = { daemon: daemon.name, pod: pod.name, node: pod.node };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod.name)}`;
    try {
      return daemonFacts(place, await access.read(`${path}:${daemon.port}/proxy/status`, bounds));
    } catch (error) {
      return unreadDaemon(place, failureText(error));
    }
  });
}
