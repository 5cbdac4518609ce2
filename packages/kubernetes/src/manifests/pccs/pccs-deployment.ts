import { apiToken } from "../api-token.ts";
import {
  httpProbe,
  IMAGE,
  LOG_LEVEL_ARGUMENT,
  listenArgument,
  livenessProbe,
  NONROOT,
  ROOT_WITHOUT_CAPABILITIES,
  UNPRIVILEGED_USER,
} from "../container-parts.ts";
import { type Deployment, deployment } from "../deployment.ts";
import type { Container, SecurityContext, StringMap, Volume } from "../kubernetes-object.ts";
import {
  PCCS_NAME,
  PCCS_PORT,
  PCCS_STATUS_PORT,
  PCCS_TRUST_PORT,
  PCCS_USER_TOKEN_SECRET,
  QUOTE_ROOT_CONFIG_MAP,
} from "../object-names.ts";
import { values } from "../object-template.ts";
import type { Expression, Template } from "../template/expression.ts";
import { isSet, merge, text, when } from "../template/language.ts";

export const PCCS_CLAIM = PCCS_NAME;
/** The container's port that the Service leads to. */
export const PCCS_PORT_NAME = "https";

const VOLUME = "state";
const VOLUME_DIRECTORY = "/var/lib/sgx-pccs";
/** Below the volume's own directory, which belongs to whoever made the volume, and may hold more than our files. */
const STATE_DIRECTORY = `${VOLUME_DIRECTORY}/state`;
/** As `confcom pccs prepare` lays the state directory out. */
const SERVER_PEM = `${STATE_DIRECTORY}/tls/server.pem`;
const USER_TOKEN_HASHES = `${STATE_DIRECTORY}/registration/user-token-hashes`;

/** Enough for looking at two objects now and then, whatever the service is given. */
const TRUST_RESOURCES = { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "160Mi" } };

const token = apiToken("pccs-trust-token");

/** Of `storage.hostPath`: the kubelet makes it for root, and changes no owner there. */
const onHostPath = isSet(values.pccs.storage.hostPath);

/** All three containers read and write each other's files: one user. */
const securityContext: Template<SecurityContext> = when<SecurityContext, SecurityContext>(
  onHostPath,
  ROOT_WITHOUT_CAPABILITIES,
  UNPRIVILEGED_USER,
);

const stateMount = { name: VOLUME, mountPath: VOLUME_DIRECTORY } as const;

/** `sgx-pccs`: one pod, for its database and its authority's state are one process's. */
export function pccsDeployment(): Template<Deployment> {
  const { hostPath } = values.pccs.storage;
  return deployment(PCCS_NAME, {
    replicas: 1,
    strategy: { type: "Recreate" },
    pod: {
      dnsPolicy: "ClusterFirst",
      terminationGracePeriodSeconds: 30,
      nodeSelector: merge<StringMap>(values.pccs.nodeSelector, { "kubernetes.io/os": "linux" }),
      // A new volume is root's. Once it has the group nothing in it is touched: keys stay their owner's alone.
      securityContext: { fsGroup: NONROOT, fsGroupChangePolicy: "OnRootMismatch" },
      initContainers: [prepareContainer()],
      containers: [pccsContainer(), trustContainer()],
      volumes: [
        when<Volume, Volume>(
          onHostPath,
          { name: VOLUME, hostPath: { path: hostPath as Expression<string>, type: "DirectoryOrCreate" } },
          { name: VOLUME, persistentVolumeClaim: { claimName: PCCS_CLAIM } },
        ),
        token.volume,
      ],
    },
  });
}

/** Makes the TLS authority, the server's certificate and the user token, where they are not there. */
function prepareContainer(): Template<Container> {
  const { namespace } = values;
  return {
    name: "pccs-prepare",
    ...IMAGE,
    args: [
      "pccs",
      "prepare",
      `--state=${STATE_DIRECTORY}`,
      text`--dns-name=${PCCS_NAME}.${namespace}.svc`,
      text`--dns-name=${PCCS_NAME}.${namespace}`,
      `--dns-name=${PCCS_NAME}`,
    ],
    resources: values.pccs.resources,
    securityContext,
    volumeMounts: [stateMount],
  };
}

/** The service. It has no token, and what it listens to is all that reaches it. */
function pccsContainer(): Template<Container> {
  return {
    name: "pccs",
    ...IMAGE,
    args: [
      "pccs",
      `--state=${STATE_DIRECTORY}`,
      text`--upstream=${values.pccs.upstream}`,
      listenArgument("listen", PCCS_PORT),
      listenArgument("health-listen", PCCS_STATUS_PORT),
      `--tls-cert=${SERVER_PEM}`,
      `--tls-key=${SERVER_PEM}`,
      `--user-token-file=${USER_TOKEN_HASHES}`,
      "--follow-files",
      LOG_LEVEL_ARGUMENT,
    ],
    // SQLite's temporary files: there is no other directory that can be written to.
    env: [{ name: "SQLITE_TMPDIR", value: VOLUME_DIRECTORY }],
    ports: [
      { name: PCCS_PORT_NAME, containerPort: PCCS_PORT, protocol: "TCP" },
      { name: "status", containerPort: PCCS_STATUS_PORT, protocol: "TCP" },
    ],
    readinessProbe: readiness(PCCS_STATUS_PORT),
    livenessProbe: livenessProbe(PCCS_STATUS_PORT),
    resources: values.pccs.resources,
    securityContext,
    volumeMounts: [stateMount],
  };
}

/** The only container with a token: publishes what is public, and the user token; renews the server's certificate. */
function trustContainer(): Template<Container> {
  return {
    name: "pccs-trust",
    ...IMAGE,
    args: [
      "pccs",
      "trust",
      `--state=${STATE_DIRECTORY}`,
      text`--namespace=${values.namespace}`,
      text`--upstream=${values.pccs.upstream}`,
      `--config-map=${QUOTE_ROOT_CONFIG_MAP}`,
      `--secret=${PCCS_USER_TOKEN_SECRET}`,
      listenArgument("listen", PCCS_TRUST_PORT),
      LOG_LEVEL_ARGUMENT,
    ],
    ports: [{ name: "trust-status", containerPort: PCCS_TRUST_PORT, protocol: "TCP" }],
    readinessProbe: readiness(PCCS_TRUST_PORT),
    livenessProbe: livenessProbe(PCCS_TRUST_PORT),
    resources: TRUST_RESOURCES,
    securityContext,
    volumeMounts: [stateMount, token.mount],
  };
}

const readiness = (port: number) =>
  httpProbe("/readyz", port, { initialDelaySeconds: 3, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 });
