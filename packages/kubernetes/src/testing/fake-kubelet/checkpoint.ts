import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Devices that one container holds of one resource. */
export interface Allocation {
  readonly podUid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly resourceName: string;
  readonly ids: readonly string[];
}

const FILE_NAME = "kubelet_internal_checkpoint";

interface PodDevicesEntry {
  readonly PodUID: string;
  readonly ContainerName: string;
  readonly ResourceName: string;
  /** Keyed by NUMA node; -1 where a device has none. */
  readonly DeviceIDs: Readonly<Record<string, readonly string[]>>;
  /** The plugin's answer, base64 of its message. */
  readonly AllocResp: string;
}

interface Checkpoint {
  readonly Data: {
    readonly PodDeviceEntries: readonly PodDevicesEntry[] | null;
    readonly RegisteredDevices: Readonly<Record<string, readonly string[]>>;
  };
  readonly Checksum: number;
}

/** Writes what the device manager knows, in the kubelet's own form. The checksum has the right kind only: the kubelet's covers Go's memory layout. */
export function writeCheckpoint(
  directory: string,
  allocations: readonly Allocation[],
  registered: ReadonlyMap<string, readonly string[]>,
): void {
  const data: Checkpoint["Data"] = {
    PodDeviceEntries: allocations.map((allocation) => ({
      PodUID: allocation.podUid,
      ContainerName: allocation.container,
      ResourceName: allocation.resourceName,
      DeviceIDs: { "-1": allocation.ids },
      AllocResp: "",
    })),
    RegisteredDevices: Object.fromEntries(registered),
  };
  const checkpoint: Checkpoint = { Data: data, Checksum: fnv1a(JSON.stringify(data)) };
  const temporary = join(directory, `.${FILE_NAME}`);
  writeFileSync(temporary, JSON.stringify(checkpoint), { mode: 0o600 });
  renameSync(temporary, join(directory, FILE_NAME));
}

/** The names of the resources that a checkpoint mentions; none when there is no checkpoint. */
export function checkpointedResources(directory: string): readonly string[] {
  try {
    const checkpoint = JSON.parse(readFileSync(join(directory, FILE_NAME), "utf8")) as Checkpoint;
    return Object.keys(checkpoint.Data.RegisteredDevices);
  } catch {
    return [];
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
