import { readFileSync } from "node:fs";

/** Kernel clock ticks per second in /proc/PID/stat: USER_HZ, 100 on every Linux architecture Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * User and system CPU time of `pids` with all their threads, in microseconds, to the tick of 10 ms: the kernel scales the two
 * fields so that their sum is the scheduler's exact figure.
 */
export function cpuMicroseconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statMicroseconds(`/proc/${pid}/stat`), 0);
}

/** The same of the first thread of a process alone: where Node runs JavaScript that no worker runs. */
export function mainThreadMicroseconds(pid: number): number {
  return statMicroseconds(`/proc/${pid}/task/${pid}/stat`);
}

function statMicroseconds(path: string): number {
  const stat = readFileSync(path, "utf8");
  // The command name, field 2, may hold blanks and brackets; counting starts behind its last bracket, at field 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[14 - 3]) + Number(fields[15 - 3])) * 1e6) / TICKS_PER_SECOND;
}

export interface Memory {
  readonly rssMegabytes: number;
  readonly peakMegabytes: number;
}

/** VmRSS and VmHWM of one process, in units of 10^6 bytes. */
export function residentMemory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string): number => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
    return (Number(kibibytes) * 1024) / 1e6;
  };
  return { rssMegabytes: megabytes("VmRSS"), peakMegabytes: megabytes("VmHWM") };
}
