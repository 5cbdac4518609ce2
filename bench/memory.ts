import { type LoadFiles, type LoadTarget, runLoad } from "./load.ts";
import { type Memory, residentMemory } from "./process-usage.ts";

export interface MemoryGrowth {
  readonly atStart: Memory;
  readonly after100k: Memory;
  readonly after1M: Memory;
  readonly growthMegabytes: number;
}

const CLIENTS = 32;
const STEP = 100_000;

/** Resident memory of a quote helper that starts fresh, over a million requests of one workload. */
export async function measureMemory(
  load: string,
  target: LoadTarget,
  pid: number,
  files: LoadFiles,
  progress: (line: string) => void,
): Promise<MemoryGrowth> {
  const atStart = residentMemory(pid);
  let after100k = atStart;
  let after1M = atStart;
  for (let done = STEP; done <= 1_000_000; done += STEP) {
    await runLoad(load, target, files, CLIENTS, STEP);
    after1M = residentMemory(pid);
    if (done === STEP) after100k = after1M;
    progress(`memory after ${done} requests: ${after1M.rssMegabytes.toFixed(1)} MB`);
  }
  return { atStart, after100k, after1M, growthMegabytes: after1M.rssMegabytes - after100k.rssMegabytes };
}
