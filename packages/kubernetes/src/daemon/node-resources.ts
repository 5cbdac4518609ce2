import type { Clock } from "../clock.ts";
import type { PublishedResource } from "../device-plugin/published-resource.ts";
import { choosePublishing, type PublishingChoice, type RequestedMode } from "../epc-pool/choose-publishing.ts";
import { createEpcResource, type EpcResource, type EpcResourceState } from "../epc-pool/epc-resource.ts";
import { createSlotResource, type SlotKind, type SlotResource } from "../epc-pool/slot-resource.ts";
import { AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE } from "../names.ts";
import type { PodAllocation } from "../pod-resources/decode-pod-resources.ts";
import type { SgxDevices } from "../sgx-node/sgx-devices.ts";
import type { SgxNode } from "../sgx-node/sgx-node.ts";
import type { NodeCounter } from "../status/plugin-status.ts";

export interface NodeResourcesOptions {
  readonly resourceNames: "azure" | "intel";
  readonly mode: RequestedMode;
  readonly numa: boolean;
  readonly provisionWithEpc: boolean;
  readonly slots: Readonly<Record<SlotKind, number>>;
  readonly aesmDirectory: string;
  readonly inspectDevices: () => SgxDevices;
  readonly waitForHelper: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
}

/** What the kubelet's containers hold, as of a time of the clock. */
export interface Observation {
  /** Undefined when the kubelet could not be asked. */
  readonly allocations: readonly PodAllocation[] | undefined;
  readonly at: number;
}

/**
 * What a node offers to the kubelet, out of what the node has. A node that never had SGX offers nothing. One that had it
 * and lost it keeps its resources, unhealthy: a resource that is withdrawn shows its old size for five minutes more.
 */
export class NodeResources {
  readonly #options: NodeResourcesOptions;
  readonly #slots = new Map<SlotKind, SlotResource>();
  #epc: EpcResource | undefined;
  #choice: PublishingChoice | undefined;
  #counters: readonly NodeCounter[] = [];
  #offered = false;

  constructor(options: NodeResourcesOptions) {
    this.#options = options;
  }

  /** Takes over what the node has now. Throws KubernetesError `EPC_MODE_UNSUPPORTED`. */
  update(node: SgxNode, observation: Observation): void {
    const { resourceNames, mode, numa } = this.#options;
    this.#offered ||= node.capable;
    if (!this.#offered) return;
    const { totalMiB, totalBytes, perNumaNode } = node.epc;
    const previous = this.#choice?.mode === "none" ? undefined : this.#choice?.mode;
    if (totalMiB > 0) {
      this.#choice = choosePublishing({ totalMiB, requested: mode, resourceNames, numa, perNumaNode, previous });
    }
    this.#updateEpc(node, observation);
    this.#updateSlots(node);
    const counted = this.#choice?.mode === "counter" && node.capable;
    this.#counters = !counted
      ? []
      : resourceNames === "intel"
        ? [{ name: INTEL_EPC_RESOURCE, quantity: String(totalBytes) }]
        : [{ name: AZURE_EPC_RESOURCE, quantity: String(totalMiB) }];
  }

  /** What the containers hold now; ids that nobody holds any more may leave. */
  observe(node: SgxNode, { allocations, at }: Observation): void {
    if (allocations === undefined) return;
    const { totalMiB, perNumaNode } = node.epc;
    this.#epc?.resize(totalMiB, heldIds(allocations), { perNumaNode, observedAt: at });
  }

  list(): readonly PublishedResource[] {
    return [...(this.#epc === undefined ? [] : [this.#epc]), ...this.#slots.values()];
  }

  get choice(): PublishingChoice | undefined {
    return this.#choice;
  }

  get counters(): readonly NodeCounter[] {
    return this.#counters;
  }

  epcState(): EpcResourceState | undefined {
    return this.#epc?.state();
  }

  #updateEpc(node: SgxNode, { allocations, at }: Observation): void {
    const { numa, inspectDevices, provisionWithEpc, clock } = this.#options;
    const { totalMiB, perNumaNode } = node.epc;
    const allocatedIds = allocations === undefined ? undefined : heldIds(allocations);
    if (this.#choice?.mode !== "device") {
      this.#epc = undefined;
    } else if (this.#epc === undefined) {
      this.#epc = createEpcResource({
        totalMiB,
        perNumaNode,
        numa,
        allocatedIds,
        inspectDevices,
        provisionWithEpc,
        clock,
      });
    } else {
      this.#epc.resize(totalMiB, allocatedIds, { perNumaNode, observedAt: at });
      this.#epc.setDevices(node.devices);
    }
  }

  #updateSlots(node: SgxNode): void {
    const { slots, inspectDevices, waitForHelper, aesmDirectory, provisionWithEpc } = this.#options;
    for (const kind of ["enclave", "provision"] as const) {
      const there = this.#slots.get(kind);
      if (there !== undefined) there.setDevices(node.devices);
      else if (slots[kind] > 0 && node.devices[kind] !== undefined) {
        const provisionToo = kind === "enclave" && provisionWithEpc;
        this.#slots.set(kind, createSlotResource({ kind, slots: slots[kind], inspectDevices, provisionToo }));
      }
    }
    if (slots.quote > 0 && !this.#slots.has("quote")) {
      const quote = createSlotResource({ kind: "quote", slots: slots.quote, waitForHelper, aesmDirectory });
      this.#slots.set("quote", quote);
    }
  }
}

function* heldIds(allocations: readonly PodAllocation[]): Generator<string> {
  for (const { resource, ids } of allocations) if (resource === AZURE_EPC_RESOURCE) yield* ids;
}
