import { type EpcReading, MAX_EPC_BYTES, MIB, type NumaEpc, readEpcBytes } from "./epc-reading.ts";
import { errorCode, type HostFileSystem, readHostFile, resolveHostPath } from "./host-file-system.ts";

const NODES = "/sys/devices/system/node";

/**
 * EPC of each NUMA node from `node<N>/x86/sgx_total_bytes` (spec: Kubernetes §2), which the kernel has since 5.17. A
 * file that says something odd makes the whole source unusable: a sum of the others would be wrong without a sign of it.
 */
export function epcFromSysfs(host: HostFileSystem): EpcReading {
  let names: readonly string[];
  try {
    names = host.readDirectory(resolveHostPath(host, NODES).path);
  } catch (error) {
    return { usable: false, why: `${NODES} cannot be read (${errorCode(error)})` };
  }
  const nodes = names
    .filter((name) => /^node(0|[1-9]\d{0,3})$/.test(name))
    .map((name) => Number(name.slice(4)))
    .sort((a, b) => a - b);
  const perNumaNode: NumaEpc[] = [];
  for (const node of nodes) {
    const path = `${NODES}/node${node}/x86/sgx_total_bytes`;
    let text: string;
    try {
      text = new TextDecoder().decode(readHostFile(host, path, 256));
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") continue;
      return { usable: false, why: `${path} cannot be read (${code})` };
    }
    const bytes = readEpcBytes(text);
    if (typeof bytes === "string") return { usable: false, why: `${path}: ${bytes}` };
    perNumaNode.push({ node, bytes, mib: Math.floor(bytes / MIB) });
  }
  if (perNumaNode.length === 0) {
    return { usable: false, why: `no node below ${NODES} has x86/sgx_total_bytes: Linux before 5.17, or no SGX` };
  }
  return summed(perNumaNode);
}

function summed(all: readonly NumaEpc[]): EpcReading {
  const perNumaNode = all.filter(({ mib }) => mib > 0);
  const bytes = all.reduce((sum, node) => sum + node.bytes, 0);
  if (perNumaNode.length === 0)
    return { usable: false, why: `sgx_total_bytes is ${bytes}: less than 1 MiB on any node` };
  if (bytes > MAX_EPC_BYTES)
    return { usable: false, why: `the nodes' ${bytes} bytes cannot be: more than ${MAX_EPC_BYTES}` };
  const parts = perNumaNode.map(({ node, mib }) => `node ${node} ${mib} MiB`).join(", ");
  return { usable: true, why: `sgx_total_bytes says ${parts}`, bytes, perNumaNode };
}
