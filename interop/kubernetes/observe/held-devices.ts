import { DEVICE_PLUGIN_DIRECTORY } from "@confcom/kubernetes";
import type { ClusterNode } from "../cluster/cluster.ts";

const CHECKPOINT = `${DEVICE_PLUGIN_DIRECTORY}/kubelet_internal_checkpoint`;

export interface HeldDevice {
  readonly resource: string;
  readonly id: string;
  readonly podUid: string;
  readonly container: string;
  /** As the kubelet notes it: -1 for a device that says none. */
  readonly numaNode: string;
}

interface Checkpoint {
  readonly Data: {
    readonly PodDeviceEntries:
      | readonly {
          readonly PodUID: string;
          readonly ContainerName: string;
          readonly ResourceName: string;
          /** By NUMA node; a bare list in old kubelets. */
          readonly DeviceIDs: Readonly<Record<string, readonly string[] | null>> | readonly string[];
        }[]
      | null;
    readonly RegisteredDevices: Readonly<Record<string, readonly string[]>>;
  };
}

/** Which device ids the kubelet says containers hold; of ended pods too, until it next needs the ids. */
export async function heldDevices(node: ClusterNode): Promise<readonly HeldDevice[]> {
  const { Data } = await readCheckpoint(node);
  return (Data.PodDeviceEntries ?? []).flatMap((entry) => {
    const lists = Array.isArray(entry.DeviceIDs) ? { "-1": entry.DeviceIDs as readonly string[] } : entry.DeviceIDs;
    return Object.entries(lists as Readonly<Record<string, readonly string[] | null>>).flatMap(([numaNode, ids]) =>
      (ids ?? []).map((id) => ({
        resource: entry.ResourceName,
        id,
        podUid: entry.PodUID,
        container: entry.ContainerName,
        numaNode,
      })),
    );
  });
}

export async function registeredDevices(node: ClusterNode): Promise<Readonly<Record<string, readonly string[]>>> {
  return (await readCheckpoint(node)).Data.RegisteredDevices;
}

async function readCheckpoint(node: ClusterNode): Promise<Checkpoint> {
  const { stdout } = await node.exec(["cat", CHECKPOINT]);
  return JSON.parse(stdout) as Checkpoint;
}

/** Ids of one resource that containers of two of the given pods hold at once, which must never be. */
export function heldTwice(held: readonly HeldDevice[], podUids: ReadonlySet<string>): readonly string[] {
  const owners = new Map<string, string>();
  const twice: string[] = [];
  for (const { resource, id, podUid } of held) {
    if (!podUids.has(podUid)) continue;
    const key = `${resource} ${id}`;
    const owner = owners.get(key);
    if (owner !== undefined && owner !== podUid) twice.push(`${key}: ${owner} and ${podUid}`);
    owners.set(key, podUid);
  }
  return twice;
}
