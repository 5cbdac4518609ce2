import { encodedListSize } from "../device-plugin/list-encoding.ts";
import { KubernetesError } from "../errors.ts";
import { type NodeProblem, nodeProblem } from "../node-problem.ts";
import type { NumaEpc } from "../sgx-node/epc-reading.ts";
import { MAX_EPC_DEVICES } from "./device-ids.ts";
import { DEVICE_LIST_LIMIT } from "./list-limit.ts";

export type RequestedMode = "auto" | "device" | "counter";

/** "none": this node has no EPC, or more than the mode that was asked for can publish (`problem` says so). */
export type PublishingMode = "device" | "counter" | "none";

export interface PublishingChoice {
  readonly mode: PublishingMode;
  /** Devices in the list; 0 unless `mode` is "device". */
  readonly deviceCount: number;
  /** Bytes of the list when every device is healthy; what it would be where `mode` is not "device". */
  readonly encodedBytes: number;
  readonly limitBytes: number;
  readonly why: string;
  readonly warnings: readonly string[];
  readonly problem: NodeProblem | undefined;
}

export interface PublishingRequest {
  readonly totalMiB: number;
  readonly requested: RequestedMode;
  readonly resourceNames: "azure" | "intel";
  /** `--numa`: each device says its NUMA node, which costs 4 to 7 bytes. */
  readonly numa: boolean;
  /** EPC of each NUMA node; without it all is taken for node 0. */
  readonly perNumaNode?: readonly Pick<NumaEpc, "node" | "mib">[];
  /** What this node publishes now. */
  readonly previous?: PublishingMode | undefined;
}

/** `auto` publishes devices up to this many MiB: 64 GiB. */
export const AUTO_DEVICE_LIMIT = 65_536;

/** A node in counter mode goes back to devices only when it has this much less than the limit, so that it does not flap. */
export const AUTO_HYSTERESIS = 1_024;

/**
 * How a node's EPC is published (spec: Kubernetes §7), decided before anything is sent: a list that the kubelet does not
 * take ends the stream without a word to the plugin. Throws `EPC_MODE_UNSUPPORTED` for a contradictory configuration.
 */
export function choosePublishing(request: PublishingRequest): PublishingChoice {
  const { totalMiB, requested, resourceNames, numa, previous } = request;
  if (resourceNames === "intel" && requested === "device") {
    throw new KubernetesError(
      "EPC_MODE_UNSUPPORTED",
      "--mode device was asked for together with --resource-names intel",
    );
  }
  const encodedBytes =
    resourceNames === "intel" ? 0 : listBytes(totalMiB, numa ? request.perNumaNode : undefined, numa);
  const size = { encodedBytes, limitBytes: DEVICE_LIST_LIMIT };
  const sizes = `${totalMiB} MiB are a list of ${encodedBytes} bytes, the limit is ${DEVICE_LIST_LIMIT}`;
  const without = { ...size, deviceCount: 0, warnings: [], problem: undefined };
  const counter = (why: string): PublishingChoice => ({ ...without, mode: "counter", why });

  if (totalMiB === 0) return { ...without, mode: "none", why: "there is no EPC to publish" };
  if (resourceNames === "intel") return counter("EPC in bytes is a counter in the node's status");
  if (requested === "counter") return counter("--mode counter was asked for");
  const fits = totalMiB <= MAX_EPC_DEVICES && encodedBytes <= DEVICE_LIST_LIMIT;
  if (requested === "device") {
    if (!fits) {
      const problem = nodeProblem(
        "EPC_LIST_TOO_LARGE",
        `--mode device${numa ? " --numa" : ""}: ${sizes} (${MAX_EPC_DEVICES} devices at most): EPC is not published`,
      );
      return { ...without, mode: "none", why: problem.message, problem };
    }
    return {
      ...size,
      mode: "device",
      deviceCount: totalMiB,
      why: `--mode device was asked for: ${sizes}`,
      warnings: warnings(totalMiB),
      problem: undefined,
    };
  }
  if (totalMiB > AUTO_DEVICE_LIMIT)
    return counter(`${totalMiB} MiB are more than the ${AUTO_DEVICE_LIMIT} of auto's devices`);
  if (!fits) return counter(sizes);
  if (previous === "counter" && totalMiB > AUTO_DEVICE_LIMIT - AUTO_HYSTERESIS) {
    return counter(
      `stays a counter until EPC is at most ${AUTO_DEVICE_LIMIT - AUTO_HYSTERESIS} MiB; it is ${totalMiB} now`,
    );
  }
  return {
    ...size,
    mode: "device",
    deviceCount: totalMiB,
    why: `at most ${AUTO_DEVICE_LIMIT} MiB: ${sizes}`,
    warnings: [],
    problem: undefined,
  };
}

function warnings(totalMiB: number): readonly string[] {
  if (totalMiB <= AUTO_DEVICE_LIMIT) return [];
  return [
    `${totalMiB} devices of 1 MiB: the kubelet needs some 150 MB more memory, writes its checkpoint of megabytes at every allocation, ` +
      `and containers of more than some 64 GiB may make pod statuses that the API server refuses; --mode counter costs nothing of this`,
  ];
}

/** Bytes of the list that {@link EpcPool} publishes first: dense ids, NUMA nodes one after the other. */
function listBytes(totalMiB: number, perNumaNode: PublishingRequest["perNumaNode"], numa: boolean): number {
  const nodes = perNumaNode === undefined || perNumaNode.length === 0 ? [{ node: 0, mib: totalMiB }] : perNumaNode;
  let bytes = 0;
  let from = 0;
  for (const { node, mib } of nodes) {
    bytes += rangeBytes(from, from + mib, numa ? node : undefined);
    from += mib;
  }
  return bytes;
}

/** Bytes of healthy devices `from` up to but without `to`; beyond three characters ids are taken to have four. */
function rangeBytes(from: number, to: number, numaNode: number | undefined): number {
  let bytes = 0;
  for (const [start, end, idLength] of ID_LENGTHS) {
    const count = Math.max(0, Math.min(to, end) - Math.max(from, start));
    const device = { id: "-".repeat(idLength), healthy: true };
    if (count > 0) bytes += count * encodedListSize([numaNode === undefined ? device : { ...device, numaNode }]);
  }
  return bytes;
}

const ID_LENGTHS = [
  [0, 64, 1],
  [64, 4_096, 2],
  [4_096, MAX_EPC_DEVICES, 3],
  [MAX_EPC_DEVICES, Number.MAX_SAFE_INTEGER, 4],
] as const;
