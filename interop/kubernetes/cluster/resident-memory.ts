import { readFileSync } from "node:fs";

/** Resident memory of a process as this machine sees it, KiB. Throws when it is gone. */
export function residentKiB(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match === null) throw new Error(`process ${pid} is gone`);
  return Number(match[1]);
}
