import type { Clock } from "../clock.ts";
import type { ContainerAllocation, PluginDevice, PublishedResource } from "../device-plugin/published-resource.ts";
import { KubernetesError } from "../errors.ts";
import { AZURE_EPC_RESOURCE } from "../names.ts";
import { type NodeProblem, nodeProblem } from "../node-problem.ts";
import type { SgxDevices } from "../sgx-node/sgx-devices.ts";
import { Changes } from "./changes.ts";
import { deviceAllocation, requireDevice } from "./device-access.ts";
import { epcDeviceIndex } from "./device-ids.ts";
import { EpcPool, type NumaMiB } from "./epc-pool.ts";
import { DEVICE_LIST_LIMIT } from "./list-limit.ts";
import { preferAllocation } from "./preferred-allocation.ts";
import { publishedList } from "./published-list.ts";

export const EPC_ENDPOINT = "confcom-epc.sock";

export interface EpcResourceOptions {
  readonly totalMiB: number;
  /** EPC of each NUMA node; with it and `numa` devices say their node. */
  readonly perNumaNode?: readonly NumaMiB[];
  readonly numa?: boolean;
  /** Ids that containers hold already, as the kubelet says; undefined when it could not be asked. */
  readonly allocatedIds?: Iterable<string> | undefined;
  /** Looks at the devices now: what Allocate gives must be there at that moment, not at the last rescan. */
  readonly inspectDevices: () => SgxDevices;
  /** `--provision-with-epc`: every container with EPC also gets the provisioning device. */
  readonly provisionWithEpc?: boolean;
  readonly clock: Pick<Clock, "now">;
  readonly resourceName?: string;
  readonly endpoint?: string;
  /** Bytes of the encoded list; the default is what the kubelet takes. */
  readonly listLimit?: number;
}

export interface EpcResourceState {
  readonly totalMiB: number;
  /** Devices in the list. */
  readonly published: number;
  readonly healthy: number;
  /** Devices that containers hold; null until the kubelet has said so. */
  readonly allocated: number | null;
  /** Held devices beyond the EPC that there is. */
  readonly excess: number;
  readonly problem: NodeProblem | undefined;
}

export interface EpcResource extends PublishedResource {
  /**
   * Takes over another size of EPC and what containers hold (`undefined`: the kubelet could not be asked), as of
   * `observedAt`, the clock's time when the kubelet was asked.
   */
  resize(
    totalMiB: number,
    allocatedIds: Iterable<string> | undefined,
    options?: { readonly perNumaNode?: readonly NumaMiB[]; readonly observedAt?: number },
  ): void;
  /** Health follows the enclave device: without it every device is unhealthy, with it they are healthy again. */
  setDevices(devices: SgxDevices): void;
  state(): EpcResourceState;
}

/** EPC as devices of one MiB each (spec: Kubernetes §1.3, §7). Above {@link MAX_EPC_DEVICES} MiB: RangeError. */
export function createEpcResource(options: EpcResourceOptions): EpcResource {
  const { inspectDevices, clock, provisionWithEpc = false, numa = false, listLimit = DEVICE_LIST_LIMIT } = options;
  const pool = new EpcPool();
  const changes = new Changes();
  let usable = inspectDevices().enclave !== undefined;
  let allocationKnown = options.allocatedIds !== undefined;
  let list: readonly PluginDevice[] | undefined;

  const layout = (totalMiB: number, perNumaNode: readonly NumaMiB[] | undefined): readonly NumaMiB[] =>
    numa && perNumaNode !== undefined && perNumaNode.length > 0 ? perNumaNode : [{ node: 0, mib: totalMiB }];
  const devices = (): readonly PluginDevice[] => {
    list ??= publishedList(pool, { usable, numa, limit: listLimit });
    return list;
  };
  const changed = (): void => {
    list = undefined;
    changes.announce();
  };
  const indexOf = (id: string): number => {
    const index = epcDeviceIndex(id);
    if (index !== undefined && pool.has(index)) return index;
    throw new KubernetesError(
      "DEVICE_ID_UNKNOWN",
      `EPC device ${JSON.stringify(id.slice(0, 63))} is not published: this node has ${pool.total} MiB of EPC now`,
    );
  };
  pool.resize(layout(options.totalMiB, options.perNumaNode), options.allocatedIds, clock.now());

  return {
    resourceName: options.resourceName ?? AZURE_EPC_RESOURCE,
    endpoint: options.endpoint ?? EPC_ENDPOINT,
    preStartRequired: true,
    preferredAllocationAvailable: numa,
    devices,
    subscribe: changes.subscribe,
    allocate(ids): ContainerAllocation {
      const indexes = ids.map(indexOf);
      const given = deviceAllocation("enclave", inspectDevices(), provisionWithEpc);
      pool.grant(indexes, clock.now());
      return given;
    },
    // Not async: a refusal here is the same for every way of calling.
    preStart: () => Promise.try(() => void requireDevice("enclave", inspectDevices())),
    prefer: (available, mustInclude, size) =>
      preferAllocation(available, mustInclude, size, (index) => (pool.has(index) ? pool.numaNode(index) : undefined)),
    resize(totalMiB, allocatedIds, { perNumaNode, observedAt = clock.now() } = {}) {
      allocationKnown ||= allocatedIds !== undefined;
      if (pool.resize(layout(totalMiB, perNumaNode), allocatedIds, observedAt)) changed();
    },
    setDevices(found) {
      if (usable === (found.enclave !== undefined)) return;
      usable = found.enclave !== undefined;
      changed();
    },
    state() {
      const published = devices();
      const { total, held, excess } = pool;
      const healthy = published.reduce((count, device) => count + (device.healthy ? 1 : 0), 0);
      const problem =
        excess === 0
          ? undefined
          : nodeProblem(
              "EPC_OVERCOMMITTED",
              `containers hold ${held} MiB of EPC, the node has ${total} MiB: ${excess} too much`,
            );
      return {
        totalMiB: total,
        published: published.length,
        healthy,
        allocated: allocationKnown ? held : null,
        excess,
        problem,
      };
    },
  };
}
