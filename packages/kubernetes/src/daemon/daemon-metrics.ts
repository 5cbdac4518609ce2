import type { ResourceState } from "../device-plugin/report.ts";
import type { PublishingChoice, RequestedMode } from "../epc-pool/choose-publishing.ts";
import type { EpcResourceState } from "../epc-pool/epc-resource.ts";
import type { PodAllocation } from "../pod-resources/decode-pod-resources.ts";
import { MIB } from "../sgx-node/epc-reading.ts";
import type { SgxNode } from "../sgx-node/sgx-node.ts";
import { type MetricFamily, metricsText, processMetrics } from "../status/metrics.ts";
import {
  type NodeCounter,
  PLUGIN_STATES,
  type PluginState,
  type StatusEvent,
  type StatusProblem,
} from "../status/plugin-status.ts";
import type { ResourceCounts } from "./happenings.ts";

/** All that the daemon knows at one moment. */
export interface DaemonView {
  readonly version: string;
  readonly node: string | null;
  readonly now: number;
  readonly startedAt: number;
  readonly state: PluginState;
  readonly replaced: string | undefined;
  readonly sgx: SgxNode | undefined;
  readonly resourceNames: "azure" | "intel";
  readonly requestedMode: RequestedMode;
  readonly choice: PublishingChoice | undefined;
  readonly epc: EpcResourceState | undefined;
  readonly resources: readonly ResourceState[];
  readonly allocations: readonly PodAllocation[] | undefined;
  readonly counters: readonly NodeCounter[];
  readonly problems: readonly StatusProblem[];
  readonly events: readonly StatusEvent[];
  readonly residentBytes: number;
}

const PREFIX = "confcom_device_plugin";

/** The daemon's figures as Prometheus text. */
export function pluginMetrics(view: DaemonView, counts: ReadonlyMap<string, ResourceCounts>): Promise<string> {
  const { residentBytes, version, startedAt } = view;
  return metricsText([
    ...processMetrics(PREFIX, { residentBytes, version, startedAt }),
    ...stateMetrics(view),
    ...epcMetrics(view),
    ...resourceMetrics(view),
    ...countMetrics(counts),
  ]);
}

function stateMetrics({ state, problems }: DaemonView): MetricFamily[] {
  return [
    {
      name: `${PREFIX}_state`,
      help: "1 for the state that the plugin is in.",
      type: "gauge",
      samples: PLUGIN_STATES.map((name) => ({ labels: { state: name }, value: name === state ? 1 : 0 })),
    },
    {
      name: `${PREFIX}_problems`,
      help: "How many things are wrong at this moment; /status names them.",
      type: "gauge",
      samples: [{ value: problems.length }],
    },
  ];
}

function epcMetrics({ sgx, epc }: DaemonView): MetricFamily[] {
  const total = sgx?.epc.totalMiB ?? 0;
  const states: [string, number][] = [["total", total]];
  if (epc !== undefined && epc.allocated !== null) {
    states.push(["allocated", epc.allocated], ["free", Math.max(0, total - epc.allocated)]);
  }
  return [
    {
      name: `${PREFIX}_epc_mib`,
      help: "EPC of the node in MiB; allocated and free are known in device mode.",
      type: "gauge",
      samples: states.map(([state, value]) => ({ labels: { state }, value })),
    },
    {
      name: `${PREFIX}_epc_numa_mib`,
      help: "EPC of each NUMA node in MiB.",
      type: "gauge",
      samples: (sgx?.epc.perNumaNode ?? []).map(({ node, bytes }) => ({
        labels: { numa_node: String(node) },
        value: bytes / MIB,
      })),
    },
  ];
}

function resourceMetrics({ resources }: DaemonView): MetricFamily[] {
  const gauge = (name: string, help: string, value: (resource: ResourceState) => number): MetricFamily => ({
    name: `${PREFIX}_${name}`,
    help,
    type: "gauge",
    samples: resources.map((resource) => ({ labels: { resource: resource.resourceName }, value: value(resource) })),
  });
  return [
    {
      name: `${PREFIX}_devices`,
      help: "Devices in the list that the kubelet reads.",
      type: "gauge",
      samples: resources.flatMap(({ resourceName: resource, total, healthy }) => [
        { labels: { resource, health: "healthy" }, value: healthy },
        { labels: { resource, health: "unhealthy" }, value: total - healthy },
      ]),
    },
    gauge("list_bytes", "Size of the encoded device list.", ({ encodedBytes }) => encodedBytes),
    gauge("list_and_watch_open", "Whether the kubelet reads the list.", ({ listAndWatchOpen }) =>
      listAndWatchOpen ? 1 : 0,
    ),
    {
      name: `${PREFIX}_kubelet_restarts_total`,
      help: "Registrations after the first of the same resource: each kubelet restart causes one.",
      type: "counter",
      samples: [{ value: Math.max(0, ...resources.map(({ generation }) => generation - 1)) }],
    },
  ];
}

const COUNTS: readonly (readonly [keyof ResourceCounts, string, string])[] = [
  ["registrations", "registrations_total", "Registrations that the kubelet accepted."],
  ["registrationFailures", "registration_failures_total", "Registrations that failed."],
  ["allocations", "allocations_total", "Containers that were given devices."],
  ["allocationFailures", "allocation_failures_total", "Containers that were refused devices."],
  ["preStartFailures", "pre_start_failures_total", "Starts of containers that were refused."],
];

function countMetrics(counts: ReadonlyMap<string, ResourceCounts>): MetricFamily[] {
  return COUNTS.map(([key, name, help]) => ({
    name: `${PREFIX}_${name}`,
    help,
    type: "counter",
    samples: [...counts].map(([resource, count]) => ({ labels: { resource }, value: count[key] })),
  }));
}
