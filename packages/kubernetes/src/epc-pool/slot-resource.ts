import type { ContainerAllocation, PluginDevice, PublishedResource } from "../device-plugin/published-resource.ts";
import { KubernetesError } from "../errors.ts";
import { AESM_DIRECTORY, ENCLAVE_RESOURCE, PROVISION_RESOURCE, QUOTE_RESOURCE } from "../names.ts";
import type { SgxDevices } from "../sgx-node/sgx-devices.ts";
import { Changes } from "./changes.ts";
import { deviceAllocation, NOTHING, requireDevice, type SgxDeviceRole } from "./device-access.ts";

export type SlotKind = SgxDeviceRole | "quote";

/** Slots of each kind that a node has by default: as many as the kubelet's default number of pods. */
export const DEFAULT_SLOTS = 110;

/** Slots that a node may have of one kind. */
export const MAX_SLOTS = 10_000;

const KINDS = {
  enclave: { resourceName: ENCLAVE_RESOURCE, endpoint: "confcom-enclave.sock", prefix: "e" },
  provision: { resourceName: PROVISION_RESOURCE, endpoint: "confcom-provision.sock", prefix: "p" },
  quote: { resourceName: QUOTE_RESOURCE, endpoint: "confcom-quote.sock", prefix: "q" },
} as const;

interface SlotCount {
  /** {@link DEFAULT_SLOTS} by default, at most {@link MAX_SLOTS}. */
  readonly slots?: number;
}

export type SlotResourceOptions =
  | (SlotCount & {
      readonly kind: SgxDeviceRole;
      /** Looks at the devices now. */
      readonly inspectDevices: () => SgxDevices;
      /** `--provision-with-epc`: an enclave slot gives the provisioning device too, where there is one. */
      readonly provisionToo?: boolean;
    })
  | (SlotCount & {
      readonly kind: "quote";
      /** Resolves when this node's quote helper answers, see {@link aesmGate}; rejects with KubernetesError. */
      readonly waitForHelper: (signal: AbortSignal) => Promise<void>;
      /** The helper's directory on the host, `/var/run/aesmd` by default. */
      readonly aesmDirectory?: string;
    });

export interface SlotResource extends PublishedResource {
  /**
   * Enclave and provision slots are healthy while their device is there. Quote slots always are: a helper that is
   * updated is away for seconds, in which containers had better wait than not be scheduled.
   */
  setDevices(devices: SgxDevices): void;
}

/** A right that containers ask for by the piece (spec: Kubernetes §2): which piece it is does not matter. */
export function createSlotResource(options: SlotResourceOptions): SlotResource {
  const { resourceName, endpoint, prefix } = KINDS[options.kind];
  const slots = options.slots ?? DEFAULT_SLOTS;
  if (!Number.isInteger(slots) || slots < 0 || slots > MAX_SLOTS) {
    throw new RangeError(`${slots} ${options.kind} slots are not 0 to ${MAX_SLOTS}`);
  }
  const ids = new Set(Array.from({ length: slots }, (_, i) => `${prefix}${i}`));
  const changes = new Changes();
  const list = (healthy: boolean): readonly PluginDevice[] => [...ids].map((id) => ({ id, healthy }));
  let healthy = options.kind === "quote" || options.inspectDevices()[options.kind] !== undefined;
  let devices = list(healthy);

  return {
    resourceName,
    endpoint,
    preStartRequired: true,
    preferredAllocationAvailable: false,
    devices: () => devices,
    subscribe: changes.subscribe,
    allocate(allocated) {
      const unknown = allocated.find((id) => !ids.has(id));
      if (unknown !== undefined) {
        const named = JSON.stringify(unknown.slice(0, 63));
        throw new KubernetesError("DEVICE_ID_UNKNOWN", `${resourceName} has no slot ${named}: there are ${slots}`);
      }
      return allocation(options);
    },
    preStart: (_ids, signal) =>
      Promise.try(() => {
        if (options.kind === "quote") return options.waitForHelper(signal);
        requireDevice(options.kind, options.inspectDevices());
        return undefined;
      }),
    prefer: (available, mustInclude, size) => [...new Set([...mustInclude, ...available])].slice(0, Math.max(0, size)),
    setDevices(found) {
      if (options.kind === "quote" || healthy === (found[options.kind] !== undefined)) return;
      healthy = !healthy;
      devices = list(healthy);
      changes.announce();
    },
  };
}

function allocation(options: SlotResourceOptions): ContainerAllocation {
  if (options.kind !== "quote") {
    return deviceAllocation(options.kind, options.inspectDevices(), options.provisionToo === true);
  }
  // The directory, not the socket in it: a helper that was restarted has another socket.
  const mount = {
    containerPath: AESM_DIRECTORY,
    hostPath: options.aesmDirectory ?? AESM_DIRECTORY,
    readOnly: true,
  };
  return { ...NOTHING, envs: { SGX_AESM_ADDR: "1" }, mounts: [mount] };
}
