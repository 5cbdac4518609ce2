import { posix } from "node:path";
import { AESM_DIRECTORY } from "../../names.ts";
import type { ContainerView, Members, PodView } from "./pod-view.ts";

const SOCKET = "aesm.socket";

/** What a container mounts by itself for talking to an AESM. */
export interface AesmMount {
  /** Of the volume. */
  readonly volume: string;
  /** The socket itself instead of its directory: a helper's next start makes another socket, which it does not see. */
  readonly socketFile: boolean;
  /** Whether it is the node's, not one of the pod's own. */
  readonly ofNode: boolean;
}

/** The directories in which an AESM's socket is expected, as a pod may spell them; `/var/run` is a link to `/run`. */
export class AesmDirectories {
  readonly #directories: ReadonlySet<string>;
  readonly #hostDirectory: string;

  /** `hostDirectory`: the quote helper's, on the node. */
  constructor(hostDirectory: string) {
    this.#hostDirectory = canonical(hostDirectory);
    this.#directories = new Set([AESM_DIRECTORY, hostDirectory].map(canonical));
  }

  #kind(path: string): "directory" | "socket" | undefined {
    const plain = canonical(path);
    if (this.#directories.has(plain)) return "directory";
    return posix.basename(plain) === SOCKET && this.#directories.has(posix.dirname(plain)) ? "socket" : undefined;
  }

  /** The first mount of a container that leads to an AESM, by its place in the container or in the node. */
  mountOf(container: ContainerView, volumes: ReadonlyMap<string, Members>): AesmMount | undefined {
    for (const { name, mountPath, subPath } of container.volumeMounts) {
      if (typeof name !== "string" || typeof mountPath !== "string") continue;
      const host = hostPathOf(volumes.get(name));
      const source = host === undefined ? undefined : posix.join(host, typeof subPath === "string" ? subPath : "");
      const kinds = [this.#kind(mountPath), source === undefined ? undefined : this.#kind(source)];
      if (kinds.every((kind) => kind === undefined)) continue;
      return { volume: name, socketFile: kinds.includes("socket"), ofNode: host !== undefined };
    }
    return undefined;
  }

  /** A volume of the pod that is the quote helper's directory. */
  volumeOf(pod: PodView): string | undefined {
    for (const volume of pod.volumes) {
      const host = hostPathOf(volume);
      if (typeof volume.name !== "string" || host === undefined || canonical(host) !== this.#hostDirectory) continue;
      const type = (volume.hostPath as Members).type ?? "";
      if (typeof type === "string" && ["", "Directory", "DirectoryOrCreate"].includes(type)) return volume.name;
    }
    return undefined;
  }
}

export function volumesByName(pod: PodView): ReadonlyMap<string, Members> {
  return new Map(pod.volumes.flatMap((volume) => (typeof volume.name === "string" ? [[volume.name, volume]] : [])));
}

function hostPathOf(volume: Members | undefined): string | undefined {
  const hostPath = volume?.hostPath;
  if (typeof hostPath !== "object" || hostPath === null) return undefined;
  const path: unknown = Reflect.get(hostPath, "path");
  return typeof path === "string" ? path : undefined;
}

function canonical(path: string): string {
  const plain = posix.normalize(path).replace(/\/$/, "");
  return plain.startsWith("/var/run/") ? plain.slice("/var".length) : plain;
}
