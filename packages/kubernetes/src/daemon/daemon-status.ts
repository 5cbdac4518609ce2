import type { ResourceState } from "../device-plugin/report.ts";
import { AZURE_EPC_RESOURCE } from "../names.ts";
import type { SgxNode } from "../sgx-node/sgx-node.ts";
import type { PluginStatus, ResourceStatus, SgxStatus } from "../status/plugin-status.ts";
import type { DaemonView } from "./daemon-metrics.ts";

const NOT_LOOKED_AT: SgxStatus = {
  capable: false,
  devices: { enclave: null, provision: null, generation: null, problems: [] },
  epc: { totalMiB: 0, totalBytes: 0, source: null, perNumaNode: [], tried: [] },
};

/** The status document. */
export function pluginStatus(view: DaemonView): PluginStatus {
  const { choice } = view;
  return {
    version: view.version,
    node: view.node,
    now: new Date(view.now).toISOString(),
    startedAt: new Date(view.startedAt).toISOString(),
    state: view.state,
    ...(view.replaced === undefined ? {} : { replaced: view.replaced }),
    sgx: view.sgx === undefined ? NOT_LOOKED_AT : sgxStatus(view.sgx),
    publishing:
      choice === undefined
        ? null
        : {
            resourceNames: view.resourceNames,
            mode: choice.mode,
            requestedMode: view.requestedMode,
            why: choice.why,
            encodedBytes: choice.mode === "device" ? choice.encodedBytes : 0,
            limitBytes: choice.limitBytes,
            warnings: choice.warnings,
          },
    resources: view.resources.map((resource) => resourceStatus(resource, view)),
    counters: view.counters,
    problems: view.problems,
    events: view.events,
  };
}

function sgxStatus({ capable, devices, epc }: SgxNode): SgxStatus {
  return {
    capable,
    devices: {
      enclave: devices.enclave?.hostPath ?? null,
      provision: devices.provision?.hostPath ?? null,
      generation: devices.generation,
      problems: devices.problems.map(({ message }) => message),
    },
    epc: {
      totalMiB: epc.totalMiB,
      totalBytes: epc.totalBytes,
      source: epc.source,
      perNumaNode: epc.perNumaNode.map(({ node, bytes }) => ({ node, bytes })),
      tried: epc.tried,
    },
  };
}

function resourceStatus(resource: ResourceState, view: DaemonView): ResourceStatus {
  const { resourceName: name, endpoint, total, healthy, registeredAt, listAndWatchOpen, lastError, phase } = resource;
  const problem = lastError?.message ?? (phase === "replaced" ? "taken over by a newer device plugin" : undefined);
  return {
    name,
    endpoint,
    total,
    healthy,
    allocated: name === AZURE_EPC_RESOURCE ? (view.epc?.allocated ?? null) : held(name, view),
    registeredAt: registeredAt === undefined ? null : new Date(registeredAt).toISOString(),
    listAndWatchOpen,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Devices of a resource that containers hold; null where the kubelet has never said. */
function held(resourceName: string, { allocations }: DaemonView): number | null {
  if (allocations === undefined) return null;
  return new Set(allocations.filter(({ resource }) => resource === resourceName).flatMap(({ ids }) => ids)).size;
}
