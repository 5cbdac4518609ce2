import { join, resolve } from "node:path";
import {
  aesmGate,
  CPUID_FILE_LIMIT,
  inspectSgxDevices,
  nodeHostFileSystem,
  PodResourcesClient,
  probeSgxNode,
  readHostFile,
} from "@confcom/kubernetes";
import type { DevicePluginDaemonOptions } from "@confcom/kubernetes/daemon";
import { SYSTEM_CLOCK } from "../system-clock.ts";

/** Where the node's own files are, as this process sees them. */
export interface HostOptions {
  /** What is before every path of the host. */
  readonly hostRoot: string;
  readonly cpuidFile: string | undefined;
  readonly epcMiB: number | undefined;
  readonly aesmDirectory: string;
  readonly podResourcesSocket: string;
}

/** How the daemon looks at the node, its kubelet and its quote helper. */
export function hostAccess(
  options: HostOptions,
): Pick<DevicePluginDaemonOptions, "probe" | "inspectDevices" | "podResources" | "waitForHelper" | "aesmDirectory"> {
  const { hostRoot, cpuidFile, epcMiB, aesmDirectory, podResourcesSocket } = options;
  const root = nodeHostFileSystem(hostRoot);
  // A file of this container, not of the host; read like one, because a pipe in its place must not hold the daemon.
  const own = nodeHostFileSystem("/");
  const readCpuidFile =
    cpuidFile === undefined ? undefined : () => readHostFile(own, resolve(cpuidFile), CPUID_FILE_LIMIT);
  return {
    probe: () => probeSgxNode({ root }, { readCpuidFile, epcMiB }),
    inspectDevices: () => inspectSgxDevices(root),
    podResources: new PodResourcesClient({ clock: SYSTEM_CLOCK, socketPath: podResourcesSocket }),
    waitForHelper: aesmGate({ socketPath: join(aesmDirectory, "aesm.socket"), clock: SYSTEM_CLOCK }),
    aesmDirectory,
  };
}
