import { type EpcReading, MIB, readEpcBytes } from "./epc-reading.ts";
import { errorCode, type HostFileSystem, readHostFile } from "./host-file-system.ts";

const FILE = "/sys/fs/cgroup/misc.capacity";

/** EPC from the line `sgx_epc <bytes>` of the misc controller of cgroup v2, where the kernel accounts EPC (spec: Kubernetes §2). */
export function epcFromMiscCapacity(host: HostFileSystem): EpcReading {
  let text: string;
  try {
    text = new TextDecoder().decode(readHostFile(host, FILE, 4096));
  } catch (error) {
    return {
      usable: false,
      why: `${FILE} cannot be read (${errorCode(error)}): not mounted, cgroup v1, or an older kernel`,
    };
  }
  const lines = text.split("\n").filter((line) => line.split(/\s+/)[0] === "sgx_epc");
  if (lines.length === 0) return { usable: false, why: `${FILE} has no line sgx_epc: the kernel does not account EPC` };
  if (lines.length > 1) return { usable: false, why: `${FILE} has ${lines.length} lines sgx_epc` };
  const bytes = readEpcBytes((lines[0] as string).slice("sgx_epc".length));
  if (typeof bytes === "string") return { usable: false, why: `${FILE}, sgx_epc: ${bytes}` };
  if (bytes < MIB) return { usable: false, why: `${FILE}, sgx_epc: ${bytes} is less than 1 MiB` };
  return { usable: true, why: `sgx_epc says ${bytes} bytes`, bytes, perNumaNode: [] };
}
