import { DEVICE_PLUGIN_DIRECTORY, POD_RESOURCES_SOCKET } from "../names.ts";
import { apiToken } from "./api-token.ts";
import {
  daemonSet,
  httpProbe,
  IMAGE,
  LOG_LEVEL_ARGUMENT,
  listenArgument,
  livenessProbe,
  NODE_NAME_ENV,
  ROOT_WITHOUT_CAPABILITIES,
  UNPRIVILEGED_USER,
} from "./container-parts.ts";
import type { Container, DaemonSet, HostPathVolumeSource, Volume, VolumeMount } from "./kubernetes-object.ts";
import { NODE_STATUS_NAME, NODE_STATUS_PORT, PLUGIN_NAME, PLUGIN_PORT } from "./object-names.ts";
import { values } from "./object-template.ts";
import type { Condition, Expression, Template } from "./template/expression.ts";
import { isSet, text, when } from "./template/language.ts";

/** Where the plugin's container has the parts of the host's file system that it looks at. */
const HOST_ROOT = "/host";
const CPUID_DIRECTORY = "/run/confcom";
const CPUID_FILE = `${CPUID_DIRECTORY}/cpuid.json`;
/** Bound to its pod, and so to its node: the admission policy reads the node's name out of it. */
const token = apiToken("node-status-token");

interface HostMount {
  /** Default: always. */
  readonly when?: Condition | Expression<boolean>;
  readonly volume: Template<Volume>;
  readonly mount: Template<VolumeMount>;
}

/** `sgx-plugin`: on every Linux node; without SGX it offers nothing and waits for a device to appear. */
export function pluginDaemonSet(): Template<DaemonSet> {
  const mounts = hostMounts();
  // The successor takes the resources over before the old pod leaves: EPC stays allocatable, and a helper that
  // is updated at the same time is not refused for want of it.
  const rollingUpdate = { maxUnavailable: 0, maxSurge: 1 };
  return daemonSet(PLUGIN_NAME, rollingUpdate, {
    nodeSelector: { "kubernetes.io/os": "linux" },
    terminationGracePeriodSeconds: 10,
    initContainers: when<readonly Container[]>(values.cpuidInit, [cpuidContainer()]),
    containers: [
      pluginContainer(
        mounts.map(({ when: condition, mount }) => (condition === undefined ? mount : when(condition, mount))),
      ),
      nodeStatusContainer(),
    ],
    volumes: [
      ...mounts.map(({ when: condition, volume }) => (condition === undefined ? volume : when(condition, volume))),
      token.volume,
    ],
  });
}

function hostMounts(): readonly HostMount[] {
  const { sysfsNodeDirectory, miscCapacityFile, cpuidInit } = values;
  const { socketDirectory } = values.quoteHelper;
  const podResources = POD_RESOURCES_SOCKET.slice(0, POD_RESOURCES_SOCKET.lastIndexOf("/"));
  return [
    {
      volume: { name: "device-plugins", hostPath: directory(DEVICE_PLUGIN_DIRECTORY) },
      mount: { name: "device-plugins", mountPath: DEVICE_PLUGIN_DIRECTORY },
    },
    {
      volume: { name: "pod-resources", hostPath: directory(podResources) },
      mount: readOnly("pod-resources", podResources),
    },
    {
      volume: { name: "dev", hostPath: directory("/dev") },
      mount: readOnly("dev", `${HOST_ROOT}/dev`),
    },
    {
      volume: { name: "aesmd", hostPath: { path: socketDirectory, type: "DirectoryOrCreate" } },
      mount: readOnly("aesmd", socketDirectory),
    },
    {
      when: isSet(sysfsNodeDirectory),
      volume: { name: "sysfs-node", hostPath: directory(sysfsNodeDirectory as Expression<string>) },
      mount: readOnly("sysfs-node", `${HOST_ROOT}/sys/devices/system/node`),
    },
    {
      when: isSet(miscCapacityFile),
      volume: { name: "misc-capacity", hostPath: { path: miscCapacityFile as Expression<string>, type: "File" } },
      mount: readOnly("misc-capacity", `${HOST_ROOT}/sys/fs/cgroup/misc.capacity`),
    },
    {
      when: cpuidInit,
      volume: { name: "cpuid", emptyDir: { sizeLimit: "1Mi" } },
      mount: readOnly("cpuid", CPUID_DIRECTORY),
    },
  ];
}

const directory = (path: Template<string>): Template<HostPathVolumeSource> => ({ path, type: "Directory" });

const readOnly = (name: string, mountPath: Template<string>): Template<VolumeMount> => ({
  name,
  mountPath,
  readOnly: true,
  recursiveReadOnly: "IfPossible",
});

/** Hands out rights, and has none itself: no token, no capability, nothing writable but the kubelet's plugin directory. */
function pluginContainer(volumeMounts: readonly Template<VolumeMount>[]): Template<Container> {
  const { resourceNames, mode, slots, epcMiB, quoteHelper } = values;
  return {
    name: PLUGIN_NAME,
    ...IMAGE,
    args: [
      "device-plugin",
      `--host-root=${HOST_ROOT}`,
      text`--aesm-directory=${quoteHelper.socketDirectory}`,
      text`--resource-names=${resourceNames}`,
      text`--mode=${mode}`,
      text`--enclave-slots=${slots.enclave}`,
      text`--provision-slots=${slots.provision}`,
      text`--quote-slots=${slots.quote}`,
      when(values.provisionWithEpc, "--provision-with-epc"),
      when(values.numa, "--numa"),
      when(values.cpuidInit, `--cpuid-from=${CPUID_FILE}`),
      when(isSet(epcMiB), text`--epc-mib=${epcMiB}`),
      listenArgument("listen", PLUGIN_PORT),
      LOG_LEVEL_ARGUMENT,
    ],
    env: [NODE_NAME_ENV],
    ports: [{ name: "status", containerPort: PLUGIN_PORT, protocol: "TCP" }],
    readinessProbe: httpProbe("/readyz", PLUGIN_PORT, {
      initialDelaySeconds: 2,
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 3,
    }),
    livenessProbe: livenessProbe(PLUGIN_PORT),
    resources: values.plugin.resources,
    securityContext: ROOT_WITHOUT_CAPABILITIES,
    volumeMounts,
  };
}

/** The only container with a token: writes what the plugin says into the node's object. */
function nodeStatusContainer(): Template<Container> {
  return {
    name: NODE_STATUS_NAME,
    ...IMAGE,
    args: [
      "node-status",
      `--plugin=http://127.0.0.1:${PLUGIN_PORT}/status`,
      listenArgument("listen", NODE_STATUS_PORT),
      LOG_LEVEL_ARGUMENT,
    ],
    env: [NODE_NAME_ENV],
    ports: [{ name: "node-status", containerPort: NODE_STATUS_PORT, protocol: "TCP" }],
    readinessProbe: httpProbe("/readyz", NODE_STATUS_PORT, {
      initialDelaySeconds: 2,
      periodSeconds: 5,
      timeoutSeconds: 2,
      failureThreshold: 3,
    }),
    livenessProbe: livenessProbe(NODE_STATUS_PORT),
    resources: values.nodeStatus.resources,
    securityContext: UNPRIVILEGED_USER,
    volumeMounts: [token.mount],
  };
}

/** Ends before the plugin starts. Privileged because reading another file under /dev than its own container's needs that. */
function cpuidContainer(): Template<Container> {
  return {
    name: "cpuid",
    ...IMAGE,
    args: ["device-plugin", `--host-root=${HOST_ROOT}`, `--cpuid-to=${CPUID_FILE}`],
    resources: values.plugin.resources,
    securityContext: { privileged: true, readOnlyRootFilesystem: true, runAsUser: 0, runAsGroup: 0 },
    volumeMounts: [readOnly("dev", `${HOST_ROOT}/dev`), { name: "cpuid", mountPath: CPUID_DIRECTORY }],
  };
}
