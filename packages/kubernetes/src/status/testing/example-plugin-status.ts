import type { PluginStatus } from "../plugin-status.ts";

/** What a plugin in device mode on a node with 64 MiB says, with some fields replaced. */
export function examplePluginStatus(replaced: Partial<PluginStatus> = {}): PluginStatus {
  return {
    version: "0.1.0",
    node: "worker-1",
    now: "2026-01-02T03:04:05.000Z",
    startedAt: "2026-01-02T03:00:00.000Z",
    state: "serving",
    sgx: {
      capable: true,
      devices: { enclave: "/dev/sgx_enclave", provision: "/dev/sgx_provision", generation: "in-tree", problems: [] },
      epc: {
        totalMiB: 64,
        totalBytes: 64 * 1024 * 1024,
        source: "sysfs",
        perNumaNode: [{ node: 0, bytes: 64 * 1024 * 1024 }],
        tried: [{ source: "sysfs", usable: true, why: "1 NUMA node" }],
      },
    },
    publishing: {
      resourceNames: "azure",
      mode: "device",
      requestedMode: "auto",
      why: "64 MiB fit in one list",
      encodedBytes: 900,
      limitBytes: 4_190_208,
      warnings: [],
    },
    resources: [
      {
        name: "kubernetes.azure.com/sgx_epc_mem_in_MiB",
        endpoint: "confcom-epc.sock",
        total: 64,
        healthy: 64,
        allocated: 10,
        registeredAt: "2026-01-02T03:00:01.000Z",
        listAndWatchOpen: true,
      },
    ],
    counters: [],
    problems: [],
    events: [
      {
        sequence: 1,
        time: "2026-01-02T03:00:01.000Z",
        type: "Normal",
        reason: "SgxFound",
        message: "64 MiB of EPC",
      },
    ],
    ...replaced,
  };
}
