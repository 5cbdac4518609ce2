import { type NodeProblem, nodeProblem } from "../node-problem.ts";
import { epcFromCpuid } from "./epc-from-cpuid.ts";
import { epcFromMiscCapacity } from "./epc-from-misc-capacity.ts";
import { epcFromSysfs } from "./epc-from-sysfs.ts";
import { type EpcReading, MAX_EPC_BYTES, MIB, type NumaEpc } from "./epc-reading.ts";
import type { HostFileSystem } from "./host-file-system.ts";

export type EpcSourceName = "sysfs" | "misc.capacity" | "cpuid" | "configuration";

export interface EpcCapacity {
  /** Whole MiB of EPC; with sections on several NUMA nodes each is rounded down by itself. 0 when unknown. */
  readonly totalMiB: number;
  /** Bytes as the source says them. */
  readonly totalBytes: number;
  readonly source: EpcSourceName | null;
  /** Empty where the source does not know NUMA nodes. */
  readonly perNumaNode: readonly NumaEpc[];
  /** Every source in order of preference. */
  readonly tried: readonly { readonly source: EpcSourceName; readonly usable: boolean; readonly why: string }[];
  readonly problem: NodeProblem | undefined;
}

export interface EpcConfiguration {
  /** Reads the file that the init container made by `--cpuid-to`; throws when it cannot. */
  readonly readCpuidFile?: (() => Uint8Array) | undefined;
  /** `--epc-mib`: the last resort. */
  readonly epcMiB?: number | undefined;
}

/** Asks every source for the size of EPC and takes the first that knows (spec: Kubernetes §2, "EPC discovery facts"). */
export function discoverEpc(host: HostFileSystem, configuration: EpcConfiguration): EpcCapacity {
  const readings: readonly (readonly [EpcSourceName, EpcReading])[] = [
    ["sysfs", epcFromSysfs(host)],
    ["misc.capacity", epcFromMiscCapacity(host)],
    ["cpuid", epcFromCpuid(configuration.readCpuidFile)],
    ["configuration", fromConfiguration(configuration.epcMiB)],
  ];
  const tried = readings.map(([source, { usable, why }]) => ({ source, usable, why }));
  for (const [source, reading] of readings) {
    if (!reading.usable) continue;
    const { bytes, perNumaNode } = reading;
    const whole =
      perNumaNode.length === 0 ? Math.floor(bytes / MIB) : perNumaNode.reduce((sum, { mib }) => sum + mib, 0);
    return { totalMiB: whole, totalBytes: bytes, source, perNumaNode, tried, problem: undefined };
  }
  const reasons = tried.map(({ source, why }) => `${source}: ${why}`).join("; ");
  const problem = nodeProblem("SGX_EPC_UNKNOWN", `no source knows the size of EPC (${reasons})`);
  return { totalMiB: 0, totalBytes: 0, source: null, perNumaNode: [], tried, problem };
}

function fromConfiguration(epcMiB: number | undefined): EpcReading {
  if (epcMiB === undefined) return { usable: false, why: "--epc-mib is not set" };
  if (!Number.isSafeInteger(epcMiB) || epcMiB < 1 || epcMiB * MIB > MAX_EPC_BYTES) {
    return { usable: false, why: `--epc-mib ${epcMiB} is not a whole number of MiB from 1 to ${MAX_EPC_BYTES / MIB}` };
  }
  return { usable: true, why: `--epc-mib says ${epcMiB} MiB`, bytes: epcMiB * MIB, perNumaNode: [] };
}
