import { type NodeProblem, nodeProblem } from "../node-problem.ts";
import { type HostEntry, type HostFileSystem, HostPathError, resolveHostPath } from "./host-file-system.ts";

/**
 * Whose names the devices have (spec: Kubernetes §2, "Device names"). "in-tree": Linux 5.11 or newer and DCAP drivers
 * since 1.41; "dcap": DCAP drivers with nodes below /dev/sgx; "dcap-single": the oldest, /dev/sgx itself is the node;
 * "epid": the legacy driver, of no use for DCAP.
 */
export type SgxDriverGeneration = "in-tree" | "dcap" | "dcap-single" | "epid";

/** A character device of the SGX driver. */
export interface SgxDevice {
  /** The name it was found by, e.g. /dev/sgx_enclave. */
  readonly name: string;
  /** Where the node really is on the host, links resolved: container runtimes take no link for a device. */
  readonly hostPath: string;
  readonly inode: number;
  /** `st_rdev`: a driver that was loaded again has another one. */
  readonly deviceNumber: number;
  readonly mode: number;
}

export interface SgxDevices {
  readonly enclave: SgxDevice | undefined;
  readonly provision: SgxDevice | undefined;
  /** Null where no device of any driver was found. */
  readonly generation: SgxDriverGeneration | null;
  readonly problems: readonly NodeProblem[];
}

/** Names of the enclave device, newest driver first; links among them are resolved. */
export const ENCLAVE_DEVICE_NAMES = ["/dev/sgx_enclave", "/dev/sgx/enclave", "/dev/sgx"] as const;
export const PROVISION_DEVICE_NAMES = ["/dev/sgx_provision", "/dev/sgx/provision"] as const;
export const EPID_DEVICE_NAME = "/dev/isgx";

type Looked = { readonly device: SgxDevice } | { readonly problem: NodeProblem } | undefined;

/** Looks at the SGX devices of a host (spec: Kubernetes §2). Never throws: what is wrong is in `problems`. */
export function inspectSgxDevices(host: HostFileSystem): SgxDevices {
  const problems: NodeProblem[] = [];
  const first = (names: readonly string[]): SgxDevice | undefined => {
    for (const name of names) {
      const looked = look(host, name);
      if (looked === undefined) continue;
      if ("device" in looked) return looked.device;
      problems.push(looked.problem);
    }
    return undefined;
  };
  const enclave = first(ENCLAVE_DEVICE_NAMES);
  const provision = first(PROVISION_DEVICE_NAMES);
  const epid = enclave === undefined ? look(host, EPID_DEVICE_NAME) : undefined;
  if (epid !== undefined) {
    problems.push(nodeProblem("SGX_DRIVER_EPID", `${EPID_DEVICE_NAME} is the device of the legacy EPID driver`));
  } else if (enclave === undefined && problems.length === 0) {
    problems.push(nodeProblem("SGX_DEVICE_MISSING", `there is no ${ENCLAVE_DEVICE_NAMES.join(", no ")}`));
  }
  if (enclave !== undefined && provision === undefined) {
    problems.push(
      nodeProblem(
        "SGX_PROVISION_MISSING",
        `there is ${enclave.hostPath} but no ${PROVISION_DEVICE_NAMES.join(", no ")}`,
      ),
    );
  }
  if (enclave !== undefined && (enclave.mode & 0o006) !== 0o006) {
    const mode = enclave.mode.toString(8).padStart(4, "0");
    problems.push(nodeProblem("SGX_DEVICE_MODE", `${enclave.hostPath} has mode ${mode}`));
  }
  const generation = enclave === undefined ? (epid === undefined ? null : "epid") : generationOf(enclave);
  return { enclave, provision, generation, problems };
}

function generationOf(enclave: SgxDevice): SgxDriverGeneration {
  for (const path of [enclave.hostPath, enclave.name]) {
    if (path === "/dev/sgx/enclave") return "dcap";
    if (path === "/dev/sgx") return "dcap-single";
    if (path === "/dev/sgx_enclave") return "in-tree";
  }
  return "in-tree";
}

/** Undefined when nothing has that name. */
function look(host: HostFileSystem, name: string): Looked {
  let path: string;
  let entry: HostEntry;
  try {
    ({ path, entry } = resolveHostPath(host, name));
  } catch (error) {
    return notResolved(name, error);
  }
  const via = path === name ? name : `${name} (which is ${path})`;
  if (!path.startsWith("/dev/")) {
    return { problem: nodeProblem("SGX_DEVICE_LINK", `${name} leads to ${path}, which is not below /dev`) };
  }
  if (entry.kind === "character device") {
    return { device: { name, hostPath: path, inode: entry.inode, deviceNumber: entry.deviceNumber, mode: entry.mode } };
  }
  // The directory of the DCAP driver's nodes has the name of the older driver's only node.
  if (entry.kind === "directory" && name === "/dev/sgx") return undefined;
  return { problem: nodeProblem("SGX_DEVICE_KIND", `${via} is a ${entry.kind}, not a character device`) };
}

function notResolved(name: string, error: unknown): Looked {
  if (!(error instanceof HostPathError)) throw error;
  const { code, at, throughLink } = error;
  const absent = code === "ENOENT" || code === "ENOTDIR";
  if (absent && !throughLink) return undefined;
  if (absent) return { problem: nodeProblem("SGX_DEVICE_LINK", `${name} is a link to ${at}, which is not there`) };
  if (code === "ELOOP") return { problem: nodeProblem("SGX_DEVICE_LINK", `${name} is a link that leads in a circle`) };
  const why = code === "EACCES" || code === "EPERM" ? "permission denied" : "it cannot be looked at";
  return { problem: nodeProblem("SGX_DEVICE_PERMISSION", `${name}: ${why} at ${at} (${code})`) };
}
