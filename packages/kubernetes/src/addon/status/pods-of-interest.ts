import { QUOTE_ROOT_CONFIG_MAP } from "../../manifests/object-names.ts";
import {
  DEVICE_PLUGIN_DIRECTORY,
  OWN_QUOTE_PROVIDER_ANNOTATION,
  OWN_RESOURCES,
  QUOTE_PROVIDER_ANNOTATION,
} from "../../names.ts";
import { DAEMONS } from "./facts/daemon-facts.ts";
import type { PodFacts } from "./facts/pod-facts.ts";

/** A pod of one of our DaemonSets or Deployments. */
export function isOwnPod(pod: PodFacts, namespace: string): boolean {
  return pod.namespace === namespace && DAEMONS.some(({ component }) => pod.labels.get("app") === component);
}

/** Whether a pod has to do with SGX: ours, asks for its resources or for quotes, or has its hands in the same directories. */
export function isOfInterest(pod: PodFacts, namespace: string): boolean {
  return (
    isOwnPod(pod, namespace) ||
    pod.annotations.has(QUOTE_PROVIDER_ANNOTATION) ||
    pod.annotations.has(OWN_QUOTE_PROVIDER_ANNOTATION) ||
    pod.volumes.some(({ hostPath, configMap }) => configMap === QUOTE_ROOT_CONFIG_MAP || touchesSgx(hostPath?.path)) ||
    pod.containers.some(
      ({ aesmVariable, resources, mounts }) =>
        aesmVariable ||
        OWN_RESOURCES.some((name) => resources.has(name)) ||
        mounts.some(({ path }) => /aesmd|aesm\.socket/.test(path)),
    )
  );
}

const touchesSgx = (path: string | undefined): boolean =>
  path !== undefined && (path.startsWith(DEVICE_PLUGIN_DIRECTORY) || /aesm|\/dev\/(sgx|isgx)/.test(path));
