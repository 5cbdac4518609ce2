import { encodedListSize } from "../device-plugin/list-encoding.ts";
import type { PluginDevice } from "../device-plugin/published-resource.ts";
import { epcDeviceId, epcDeviceIndex } from "./device-ids.ts";
import type { EpcPool } from "./epc-pool.ts";

export interface PublishedListOptions {
  /** False while the enclave device is not there: then no EPC can be used. */
  readonly usable: boolean;
  readonly numa: boolean;
  /** Bytes that the encoded list may have. */
  readonly limit: number;
}

/**
 * The pool as the kubelet's list, in ascending order. "Unhealthy" takes two bytes more than "Healthy", so that a list
 * which fits may fit no longer when the devices vanish. Then free devices leave it, highest first: nobody can use them.
 * When that is not enough, held ones with the highest numbers keep their health: the kubelet offers them to nobody.
 */
export function publishedList(pool: EpcPool, options: PublishedListOptions): readonly PluginDevice[] {
  const { usable, numa, limit } = options;
  const list: PluginDevice[] = [];
  for (const index of pool.indexes()) {
    const device = { id: epcDeviceId(index), healthy: usable && pool.isBacked(index) };
    list.push(numa ? { ...device, numaNode: pool.numaNode(index) } : device);
  }
  const bytes = encodedListSize(list);
  return bytes <= limit ? list : shortened(list, pool, bytes - limit);
}

function shortened(list: readonly PluginDevice[], pool: EpcPool, tooMany: number): readonly PluginDevice[] {
  let over = tooMany;
  const kept: PluginDevice[] = [];
  for (let i = list.length - 1; i >= 0; i--) {
    const device = list[i] as PluginDevice;
    const free = !device.healthy && !pool.isHeld(epcDeviceIndex(device.id) as number);
    if (over > 0 && free) over -= encodedListSize([device]);
    else kept.push(device);
  }
  for (let i = 0; over > 0 && i < kept.length; i++) {
    const device = kept[i] as PluginDevice;
    if (device.healthy) continue;
    kept[i] = { ...device, healthy: true };
    over -= UNHEALTHY_COST;
  }
  return kept.reverse();
}

const UNHEALTHY_COST = "Unhealthy".length - "Healthy".length;
