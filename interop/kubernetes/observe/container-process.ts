import { readdirSync, readFileSync } from "node:fs";
import { residentKiB } from "../cluster/resident-memory.ts";
import type { Pod } from "./kubernetes-objects.ts";

export interface ContainerProcess {
  /** As this machine sees it. */
  readonly pid: number;
  readonly rssKiB: number;
}

/** The first process of a running container: found by the container's id in the name of its cgroup. */
export function containerProcess(pod: Pod, container: string): ContainerProcess {
  const status = pod.status.containerStatuses?.find(({ name }) => name === container);
  const id = status?.containerID?.replace(/^.*:\/\//, "");
  if (status?.state?.running === undefined || id === undefined || id === "") {
    throw new Error(`container ${container} of ${pod.metadata.name} is not running`);
  }
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readProc(pid, "cgroup").includes(id));
  const pid = pids.find((candidate) => firstOfItsNamespace(candidate));
  if (pid === undefined) throw new Error(`no process of container ${container} of ${pod.metadata.name} (${id})`);
  return { pid, rssKiB: residentKiB(pid) };
}

/** The container's own process is number 1 in its namespace; the pause container's namespace holds others. */
function firstOfItsNamespace(pid: number): boolean {
  return /^NSpid:.*\s1$/m.test(readProc(pid, "status"));
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
