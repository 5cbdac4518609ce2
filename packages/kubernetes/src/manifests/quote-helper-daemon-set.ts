import {
  AZURE_EPC_RESOURCE,
  CAPABLE_LABEL,
  ENCLAVE_RESOURCE,
  INTEL_EPC_RESOURCE,
  PROVISION_RESOURCE,
} from "../names.ts";
import {
  daemonSet,
  httpProbe,
  imageOf,
  livenessProbe,
  NODE_NAME_ENV,
  ROOT_WITHOUT_CAPABILITIES,
} from "./container-parts.ts";
import type { Container, DaemonSet, StringMap } from "./kubernetes-object.ts";
import { QUOTE_HELPER_NAME, QUOTE_HELPER_PORT } from "./object-names.ts";
import type { ManifestValues } from "./values.ts";

const MIB = 1024 * 1024;

/**
 * `sgx-quote-helper`: on nodes that `node-status` labelled. It asks for EPC like any enclave application, so it waits
 * (Pending) until the plugin has offered some; its priority gets it EPC on a node that applications have filled.
 */
export function quoteHelperDaemonSet(values: ManifestValues, version: string): DaemonSet {
  const { socketDirectory, stateDirectory } = values.quoteHelper;
  return daemonSet(QUOTE_HELPER_NAME, values, {
    nodeSelector: { "kubernetes.io/os": "linux", [CAPABLE_LABEL]: "true" },
    // An update waits for this pod to be gone, and applications wait for the next one.
    terminationGracePeriodSeconds: 5,
    // Two helpers of one node would want the EPC twice and the same socket.
    rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
    containers: [quoteHelperContainer(values, version)],
    volumes: [
      { name: "aesmd", hostPath: { path: socketDirectory, type: "DirectoryOrCreate" } },
      { name: "state", hostPath: { path: stateDirectory, type: "DirectoryOrCreate" } },
    ],
  });
}

function quoteHelperContainer(values: ManifestValues, version: string): Container {
  const { socketDirectory, stateDirectory, workers, resources } = values.quoteHelper;
  const sgx = sgxResources(values);
  return {
    name: QUOTE_HELPER_NAME,
    ...imageOf(values, version),
    args: [
      "quote-helper",
      `--socket=${socketDirectory}/aesm.socket`,
      `--state=${stateDirectory}`,
      `--workers=${workers}`,
      `--health-listen=${values.listenAddress}:${QUOTE_HELPER_PORT}`,
      `--log-level=${values.logLevel}`,
    ],
    env: [NODE_NAME_ENV],
    ports: [{ name: "status", containerPort: QUOTE_HELPER_PORT, protocol: "TCP" }],
    // One failure counts: the answer is the helper's own, and the socket's loss is known for certain.
    readinessProbe: httpProbe("/readyz", QUOTE_HELPER_PORT, {
      initialDelaySeconds: 2,
      periodSeconds: 1,
      timeoutSeconds: 3,
      failureThreshold: 1,
    }),
    livenessProbe: livenessProbe(QUOTE_HELPER_PORT),
    resources: { requests: { ...resources.requests, ...sgx }, limits: { ...resources.limits, ...sgx } },
    securityContext: ROOT_WITHOUT_CAPABILITIES,
    volumeMounts: [
      { name: "aesmd", mountPath: socketDirectory },
      { name: "state", mountPath: stateDirectory },
    ],
  };
}

/**
 * EPC under the node's name for it, and the right to the provisioning key. Where EPC is (or, in mode auto, may be) a
 * number in the node's status, which gives no device, the enclave device is asked for by name.
 */
function sgxResources({ resourceNames, mode, quoteHelper }: ManifestValues): StringMap {
  const epc =
    resourceNames === "azure"
      ? { [AZURE_EPC_RESOURCE]: String(quoteHelper.epcMiB) }
      : { [INTEL_EPC_RESOURCE]: String(quoteHelper.epcMiB * MIB) };
  const enclave = resourceNames === "azure" && mode === "device" ? {} : { [ENCLAVE_RESOURCE]: "1" };
  return { ...epc, ...enclave, [PROVISION_RESOURCE]: "1" };
}
