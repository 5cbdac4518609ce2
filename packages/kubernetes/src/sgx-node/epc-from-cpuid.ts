import { decodeCpuidFile, epcSections } from "./cpuid-file.ts";
import { type EpcReading, MAX_EPC_BYTES, MIB } from "./epc-reading.ts";

/** EPC from the sections that CPUID names (spec: Kubernetes §2), written down earlier by a container that could read them. */
export function epcFromCpuid(read: (() => Uint8Array) | undefined): EpcReading {
  if (read === undefined) return { usable: false, why: "--cpuid-from is not set" };
  try {
    const recorded = decodeCpuidFile(read());
    if ("unavailable" in recorded) return { usable: false, why: recorded.unavailable };
    const sections = epcSections(recorded.leaves);
    if (typeof sections === "string") return { usable: false, why: sections };
    const bytes = sections.reduce((sum, { size }) => sum + size, 0);
    if (bytes < MIB)
      return { usable: false, why: `CPUID names ${bytes} bytes of EPC: SGX is switched off in the firmware` };
    if (bytes > MAX_EPC_BYTES)
      return { usable: false, why: `CPUID's ${bytes} bytes cannot be: more than ${MAX_EPC_BYTES}` };
    return { usable: true, why: `CPUID names ${sections.length} EPC sections, ${bytes} bytes`, bytes, perNumaNode: [] };
  } catch (error) {
    return {
      usable: false,
      why: `the file of --cpuid-from cannot be used: ${error instanceof Error ? error.message : error}`,
    };
  }
}
