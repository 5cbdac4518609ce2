import { DEVICE_PLUGIN_DIRECTORY, POD_RESOURCES_SOCKET } from "../names.ts";
import {
  daemonSet,
  httpProbe,
  imageOf,
  livenessProbe,
  NODE_NAME_ENV,
  ROOT_WITHOUT_CAPABILITIES,
  UNPRIVILEGED_USER,
} from "./container-parts.ts";
import type { Container, DaemonSet, Volume, VolumeMount } from "./kubernetes-object.ts";
import { NODE_STATUS_NAME, NODE_STATUS_PORT, PLUGIN_NAME, PLUGIN_PORT } from "./object-names.ts";
import type { ManifestValues } from "./values.ts";

/** Where the plugin's container has the parts of the host's file system that it looks at. */
const HOST_ROOT = "/host";
const CPUID_DIRECTORY = "/run/confcom";
const CPUID_FILE = `${CPUID_DIRECTORY}/cpuid.json`;
const TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Seconds; the kubelet renews it long before. */
const TOKEN_LIFE = 3600;

interface HostMount {
  readonly volume: Volume;
  readonly mount: VolumeMount;
}

/** `sgx-plugin`: on every Linux node; without SGX it offers nothing and waits for a device to appear. */
export function pluginDaemonSet(values: ManifestValues, version: string): DaemonSet {
  const mounts = hostMounts(values);
  const initContainers = values.cpuidInit ? [cpuidContainer(values, version)] : undefined;
  return daemonSet(PLUGIN_NAME, values, {
    nodeSelector: { "kubernetes.io/os": "linux" },
    terminationGracePeriodSeconds: 10,
    // The successor takes the resources over before the old pod leaves: EPC stays allocatable, and a helper that
    // is updated at the same time is not refused for want of it.
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    ...(initContainers === undefined ? {} : { initContainers }),
    containers: [
      pluginContainer(
        values,
        version,
        mounts.map(({ mount }) => mount),
      ),
      nodeStatusContainer(values, version),
    ],
    volumes: [...mounts.map(({ volume }) => volume), tokenVolume()],
  });
}

function hostMounts(values: ManifestValues): HostMount[] {
  const { sysfsNodeDirectory, miscCapacityFile, cpuidInit } = values;
  const pod = (name: string, source: Omit<Volume, "name">, mountPath: string, readOnly: boolean): HostMount => ({
    volume: { name, ...source },
    mount: { name, mountPath, ...(readOnly ? { readOnly, recursiveReadOnly: "IfPossible" } : {}) },
  });
  const directory = (path: string) => ({ hostPath: { path, type: "Directory" } }) as const;
  const podResources = POD_RESOURCES_SOCKET.slice(0, POD_RESOURCES_SOCKET.lastIndexOf("/"));
  const socketDirectory = values.quoteHelper.socketDirectory;
  const mounts = [
    pod("device-plugins", directory(DEVICE_PLUGIN_DIRECTORY), DEVICE_PLUGIN_DIRECTORY, false),
    pod("pod-resources", directory(podResources), podResources, true),
    pod("dev", directory("/dev"), `${HOST_ROOT}/dev`, true),
    pod("aesmd", { hostPath: { path: socketDirectory, type: "DirectoryOrCreate" } }, socketDirectory, true),
  ];
  if (sysfsNodeDirectory !== null) {
    mounts.push(pod("sysfs-node", directory(sysfsNodeDirectory), `${HOST_ROOT}/sys/devices/system/node`, true));
  }
  if (miscCapacityFile !== null) {
    const file = { hostPath: { path: miscCapacityFile, type: "File" } } as const;
    mounts.push(pod("misc-capacity", file, `${HOST_ROOT}/sys/fs/cgroup/misc.capacity`, true));
  }
  if (cpuidInit) mounts.push(pod("cpuid", { emptyDir: { sizeLimit: "1Mi" } }, CPUID_DIRECTORY, true));
  return mounts;
}

/** Hands out rights, and has none itself: no token, no capability, nothing writable but the kubelet's plugin directory. */
function pluginContainer(values: ManifestValues, version: string, volumeMounts: readonly VolumeMount[]): Container {
  const { resourceNames, mode, slots, epcMiB, quoteHelper } = values;
  return {
    name: PLUGIN_NAME,
    ...imageOf(values, version),
    args: [
      "device-plugin",
      `--host-root=${HOST_ROOT}`,
      `--aesm-directory=${quoteHelper.socketDirectory}`,
      `--resource-names=${resourceNames}`,
      `--mode=${mode}`,
      `--enclave-slots=${slots.enclave}`,
      `--provision-slots=${slots.provision}`,
      `--quote-slots=${slots.quote}`,
      ...(values.provisionWithEpc ? ["--provision-with-epc"] : []),
      ...(values.numa ? ["--numa"] : []),
      ...(values.cpuidInit ? [`--cpuid-from=${CPUID_FILE}`] : []),
      ...(epcMiB === null ? [] : [`--epc-mib=${epcMiB}`]),
      `--listen=${values.listenAddress}:${PLUGIN_PORT}`,
      `--log-level=${values.logLevel}`,
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
function nodeStatusContainer(values: ManifestValues, version: string): Container {
  return {
    name: NODE_STATUS_NAME,
    ...imageOf(values, version),
    args: [
      "node-status",
      `--plugin=http://127.0.0.1:${PLUGIN_PORT}/status`,
      `--listen=${values.listenAddress}:${NODE_STATUS_PORT}`,
      `--log-level=${values.logLevel}`,
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
    volumeMounts: [{ name: "node-status-token", mountPath: TOKEN_DIRECTORY, readOnly: true }],
  };
}

/** Bound to this pod, and so to this node: the admission policy reads the node's name out of it. */
function tokenVolume(): Volume {
  return {
    name: "node-status-token",
    projected: {
      defaultMode: 0o444,
      sources: [
        { serviceAccountToken: { path: "token", expirationSeconds: TOKEN_LIFE } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      ],
    },
  };
}

/** Ends before the plugin starts. Privileged because reading another file under /dev than its own container's needs that. */
function cpuidContainer(values: ManifestValues, version: string): Container {
  return {
    name: "cpuid",
    ...imageOf(values, version),
    args: ["device-plugin", `--host-root=${HOST_ROOT}`, `--cpuid-to=${CPUID_FILE}`],
    resources: values.plugin.resources,
    securityContext: { privileged: true, readOnlyRootFilesystem: true, runAsUser: 0, runAsGroup: 0 },
    volumeMounts: [
      { name: "dev", mountPath: `${HOST_ROOT}/dev`, readOnly: true, recursiveReadOnly: "IfPossible" },
      { name: "cpuid", mountPath: CPUID_DIRECTORY },
    ],
  };
}
