import type { NodeProblem } from "../node-problem.ts";
import { discoverEpc, type EpcCapacity, type EpcConfiguration } from "./epc-capacity.ts";
import type { HostFileSystem } from "./host-file-system.ts";
import { inspectSgxDevices, type SgxDevices } from "./sgx-devices.ts";

/** What a node offers to enclaves, at one moment. */
export interface SgxNode {
  readonly devices: SgxDevices;
  readonly epc: EpcCapacity;
  /** There are both an enclave device and EPC: enclaves can run here. */
  readonly capable: boolean;
  readonly problems: readonly NodeProblem[];
}

/** Looks at the node through `root`. Never throws: a node without SGX is an answer like any other. */
export function probeSgxNode(from: { readonly root: HostFileSystem }, configuration: EpcConfiguration = {}): SgxNode {
  const devices = inspectSgxDevices(from.root);
  const epc = discoverEpc(from.root, configuration);
  const problems = epc.problem === undefined ? devices.problems : [...devices.problems, epc.problem];
  return { devices, epc, capable: devices.enclave !== undefined && epc.totalMiB > 0, problems };
}
