import { mkdirSync, readdirSync, statfsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { ClusterError } from "./errors.ts";
import { type ClusterLayout, clusterLayout } from "./layout.ts";

const OVERLAYFS = 0x794c7630;
/** The kernel's limit for the path of a Unix socket, less the ending zero. */
const LONGEST_SOCKET_PATH = 107;

/** Why a cluster cannot live in a directory of this name; undefined if it can. */
export function unsuitableName(layout: ClusterLayout): string | undefined {
  if (/[,:\\\n"]/.test(layout.directory)) {
    return `${layout.directory}: overlay file systems take no path with a comma, a colon, a quote or a backslash`;
  }
  if (Buffer.byteLength(layout.control) > LONGEST_SOCKET_PATH) {
    return `${layout.control}: the path of a socket has at most ${LONGEST_SOCKET_PATH} bytes`;
  }
  return undefined;
}

/** What is in a directory that no cluster put there, if anything: taking a cluster down would remove other people's files. */
export function foreignEntry(layout: ClusterLayout): string | undefined {
  const { logs, machines, pki, kubeconfig, control, options, state } = layout;
  const own = [logs, machines, pki, kubeconfig, control, options, state, `${state}.new`].map((path) => basename(path));
  return readdirSync(layout.directory).find((name) => !own.includes(name));
}

/** Makes the directory of a cluster (0700), or says why it cannot be one. */
export function makeClusterDirectory(directory: string): ClusterLayout {
  const layout = clusterLayout(resolve(directory));
  const unsuitable = unsuitableName(layout);
  if (unsuitable !== undefined) throw new ClusterError("BAD_DIRECTORY", unsuitable);
  mkdirSync(layout.directory, { recursive: true, mode: 0o700 });
  const foreign = foreignEntry(layout);
  if (foreign !== undefined) {
    const message = `${layout.directory} holds other things than a cluster, "${foreign}" for one`;
    throw new ClusterError("BAD_DIRECTORY", `${message}: give an empty directory, or one that is not there yet`);
  }
  if (statfsSync(layout.directory).type === OVERLAYFS) {
    const message = `${layout.directory} lies on an overlay, and the nodes' own overlays cannot lie on one`;
    throw new ClusterError("BAD_DIRECTORY", `${message}: give a directory on a disk or a tmpfs, e.g. below /dev/shm`);
  }
  return layout;
}
