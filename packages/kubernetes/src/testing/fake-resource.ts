import type { ContainerAllocation, PluginDevice, PublishedResource } from "../device-plugin/published-resource.ts";
import { KubernetesError } from "../errors.ts";

/** A published resource whose list and answers a test sets. */
export class FakeResource implements PublishedResource {
  readonly resourceName: string;
  readonly endpoint: string;
  readonly preStartRequired: boolean;
  readonly preferredAllocationAvailable: boolean;
  /** Refuses every allocation with this message. */
  refusal: string | undefined;
  /** What a container start waits for. */
  ready: (signal: AbortSignal) => Promise<void> = async () => undefined;
  #devices: readonly PluginDevice[];
  readonly #listeners = new Set<() => void>();

  constructor(
    options: Partial<Pick<PublishedResource, "resourceName" | "endpoint" | "preStartRequired">> & {
      preferredAllocationAvailable?: boolean;
      devices?: number;
    } = {},
  ) {
    this.resourceName = options.resourceName ?? "sgx.intel.com/enclave";
    this.endpoint = options.endpoint ?? "confcom-enclave.sock";
    this.preStartRequired = options.preStartRequired ?? false;
    this.preferredAllocationAvailable = options.preferredAllocationAvailable ?? false;
    this.#devices = slots(options.devices ?? 4);
  }

  devices(): readonly PluginDevice[] {
    return this.#devices;
  }

  setDevices(devices: readonly PluginDevice[]): void {
    this.#devices = devices;
    for (const changed of this.#listeners) changed();
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** How many listen to changes of the list. */
  get listeners(): number {
    return this.#listeners.size;
  }

  allocate(ids: readonly string[]): ContainerAllocation {
    if (this.refusal !== undefined) throw new KubernetesError("SGX_DEVICE_MISSING", this.refusal);
    return {
      envs: { COUNT: String(ids.length) },
      mounts: [{ containerPath: "/var/run/aesmd", hostPath: "/var/run/aesmd", readOnly: true }],
      devices: [{ containerPath: "/dev/sgx/enclave", hostPath: "/dev/sgx_enclave", permissions: "rw" }],
      annotations: {},
    };
  }

  preStart(_ids: readonly string[], signal: AbortSignal): Promise<void> {
    return this.ready(signal);
  }

  /** The last ones available. */
  prefer(available: readonly string[], mustInclude: readonly string[], size: number): readonly string[] {
    return [...new Set([...mustInclude, ...available.toReversed()])].slice(0, size);
  }
}

/** `count` healthy slots: e0, e1, ... */
export function slots(count: number): readonly PluginDevice[] {
  return Array.from({ length: count }, (_, index) => ({ id: `e${index}`, healthy: true }));
}
