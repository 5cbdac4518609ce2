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
  IMAGE,
  LOG_LEVEL_ARGUMENT,
  listenArgument,
  livenessProbe,
  NODE_NAME_ENV,
  ROOT_WITHOUT_CAPABILITIES,
} from "./container-parts.ts";
import type { Container, DaemonSet, StringMap, Volume, VolumeMount } from "./kubernetes-object.ts";
import {
  PCCS_CA_KEY,
  PCCS_NAME,
  PCCS_PORT,
  PCCS_USER_TOKEN_KEY,
  PCCS_USER_TOKEN_SECRET,
  QUOTE_HELPER_NAME,
  QUOTE_HELPER_PORT,
  QUOTE_ROOT_CONFIG_MAP,
  QUOTE_ROOT_KEY,
} from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Template } from "./template/expression.ts";
import { all, equals, isSet, merge, not, product, text, when } from "./template/language.ts";

const MIB = 1024 * 1024;
/** Where the container has the cluster's root, the PCCS's CA and the user token. */
const TRUST_DIRECTORY = "/etc/confcom/trust";

/**
 * `sgx-quote-helper`: on nodes that `node-status` labelled. It asks for EPC like any enclave application, so it waits
 * (Pending) until the plugin has offered some; its priority gets it EPC on a node that applications have filled.
 */
export function quoteHelperDaemonSet(): Template<DaemonSet> {
  const { socketDirectory, stateDirectory } = values.quoteHelper;
  // Two helpers of one node would want the EPC twice and the same socket.
  return daemonSet(
    QUOTE_HELPER_NAME,
    { maxUnavailable: 1, maxSurge: 0 },
    {
      nodeSelector: { "kubernetes.io/os": "linux", [CAPABLE_LABEL]: "true" },
      // The PCCS is a Service's name.
      dnsPolicy: when(values.pccs.enabled, "ClusterFirst", "Default"),
      // An update waits for this pod to be gone, and applications wait for the next one.
      terminationGracePeriodSeconds: 5,
      containers: [quoteHelperContainer()],
      volumes: [
        { name: "aesmd", hostPath: { path: socketDirectory, type: "DirectoryOrCreate" } },
        { name: "state", hostPath: { path: stateDirectory, type: "DirectoryOrCreate" } },
        when(values.pccs.enabled, trustVolume()),
      ],
    },
  );
}

function quoteHelperContainer(): Template<Container> {
  const { socketDirectory, stateDirectory, workers, resources } = values.quoteHelper;
  const sgx = sgxResources();
  return {
    name: QUOTE_HELPER_NAME,
    ...IMAGE,
    args: [
      "quote-helper",
      text`--socket=${socketDirectory}/aesm.socket`,
      text`--state=${stateDirectory}`,
      text`--workers=${workers}`,
      ...pccsArguments().map((argument) => when(values.pccs.enabled, argument)),
      listenArgument("health-listen", QUOTE_HELPER_PORT),
      LOG_LEVEL_ARGUMENT,
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
    resources: {
      requests: merge<StringMap>(resources.requests as Template<StringMap>, ...sgx),
      limits: merge<StringMap>(resources.limits as Template<StringMap>, ...sgx),
    },
    securityContext: ROOT_WITHOUT_CAPABILITIES,
    volumeMounts: [
      { name: "aesmd", mountPath: socketDirectory },
      { name: "state", mountPath: stateDirectory },
      when<VolumeMount>(values.pccs.enabled, { name: "trust", mountPath: TRUST_DIRECTORY, readOnly: true }),
    ],
  };
}

/** One root for the cluster: the helper registers its platform there, and takes its certificates from it. */
function pccsArguments(): readonly Template<string>[] {
  return [
    when(
      isSet(values.pccs.url),
      text`--pccs=${values.pccs.url}`,
      text`--pccs=https://${PCCS_NAME}.${values.namespace}.svc:${PCCS_PORT}`,
    ),
    `--pccs-root=${TRUST_DIRECTORY}/${QUOTE_ROOT_KEY}`,
    `--pccs-ca=${TRUST_DIRECTORY}/${PCCS_CA_KEY}`,
    `--pccs-user-token-file=${TRUST_DIRECTORY}/${PCCS_USER_TOKEN_KEY}`,
  ];
}

/** Not optional: the pod starts when there is something to trust, so that no node gets a root of its own meanwhile. */
function trustVolume(): Template<Volume> {
  const { url, trustConfigMap, userTokenSecret } = values.pccs;
  const file = (key: string) => ({ key, path: key });
  return {
    name: "trust",
    projected: {
      defaultMode: 0o400,
      sources: [
        {
          configMap: {
            name: when(isSet(url), trustConfigMap, QUOTE_ROOT_CONFIG_MAP),
            items: [file(QUOTE_ROOT_KEY), file(PCCS_CA_KEY)],
          },
        },
        {
          secret: {
            name: when(isSet(url), userTokenSecret, PCCS_USER_TOKEN_SECRET),
            items: [file(PCCS_USER_TOKEN_KEY)],
          },
        },
      ],
    },
  };
}

/**
 * EPC under the node's name for it, and the right to the provisioning key. Where EPC is (or, in mode auto, may be) a
 * number in the node's status, which gives no device, the enclave device is asked for by name.
 */
function sgxResources(): readonly Template<StringMap>[] {
  const { resourceNames, mode, quoteHelper } = values;
  const azure = equals(resourceNames, "azure");
  return [
    when<StringMap, StringMap>(
      azure,
      { [AZURE_EPC_RESOURCE]: text`${quoteHelper.epcMiB}` },
      { [INTEL_EPC_RESOURCE]: product(quoteHelper.epcMiB, MIB) },
    ),
    when<StringMap>(not(all(azure, equals(mode, "device"))), { [ENCLAVE_RESOURCE]: "1" }),
    { [PROVISION_RESOURCE]: "1" },
  ];
}
