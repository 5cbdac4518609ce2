import { MessageCursor } from "./message-cursor.ts";

/** Devices of one resource that one container holds. */
export interface PodAllocation {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly resource: string;
  /** Each once. */
  readonly ids: readonly string[];
}

/**
 * The allocations of some resources out of a ListPodResourcesResponse. The kubelet writes one ContainerDevices message,
 * with the resource's name in it, for every single device: 12 MB for 256 GiB of EPC, of which a general decoder makes
 * 140 MB of objects each time. Throws an Error for bytes that are no such message.
 *
 *   ListPodResourcesResponse  1 PodResources, repeated
 *   PodResources              1 name   2 namespace   3 ContainerResources, repeated
 *   ContainerResources        1 name   2 ContainerDevices, repeated
 *   ContainerDevices          1 resource_name   2 device_ids, repeated
 */
export function decodePodResources(bytes: Uint8Array, resourceNames: readonly string[]): readonly PodAllocation[] {
  const names = resourceNames.map((name) => ({ name, bytes: new TextEncoder().encode(name) }));
  const allocations: PodAllocation[] = [];
  const response = new MessageCursor(bytes);
  while (response.next()) {
    if (response.field !== 1) continue;
    const pod = new MessageCursor(bytes, response.start, response.end);
    let name = "";
    let namespace = "";
    const containers: ContainerDevices[] = [];
    while (pod.next()) {
      if (pod.field === 1) name = pod.text();
      else if (pod.field === 2) namespace = pod.text();
      else if (pod.field === 3) containers.push(decodeContainer(new MessageCursor(bytes, pod.start, pod.end), names));
    }
    for (const { container, held } of containers) {
      for (const [resource, ids] of held) {
        allocations.push({ namespace, pod: name, container, resource, ids: [...ids] });
      }
    }
  }
  return allocations;
}

interface ContainerDevices {
  readonly container: string;
  readonly held: ReadonlyMap<string, ReadonlySet<string>>;
}

interface ResourceName {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function decodeContainer(fields: MessageCursor, names: readonly ResourceName[]): ContainerDevices {
  let container = "";
  const held = new Map<string, Set<string>>();
  const devices = new MessageCursor(fields.bytes, 0, 0);
  while (fields.next()) {
    if (fields.field === 1) container = fields.text();
    if (fields.field !== 2) continue;
    devices.enter(fields.start, fields.end);
    let resource: string | undefined;
    while (devices.next()) if (devices.field === 1) resource = names.find(({ bytes }) => devices.is(bytes))?.name;
    if (resource === undefined) continue;
    let ids = held.get(resource);
    // A second pass: nothing says that the name comes before the ids.
    devices.enter(fields.start, fields.end);
    while (devices.next()) {
      if (devices.field !== 2) continue;
      if (ids === undefined) {
        ids = new Set();
        held.set(resource, ids);
      }
      ids.add(devices.text());
    }
  }
  return { container, held };
}
