import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export interface MemorySample {
  /** Inputs done when it was taken. */
  readonly done: number;
  /** Bytes in use after a full collection. */
  readonly heap: number;
  readonly resident: number;
}

/** How much more the heap may hold at the end of a run than after its first tenth. */
export const HEAP_GROWTH_LIMIT = 16 << 20;
/** How much more memory the process may have at the end than after the first tenth, garbage and buffers included. */
export const RESIDENT_GROWTH_LIMIT = 256 << 20;

/** Samples memory, collecting garbage first. */
export function memorySampler(): (done: number) => MemorySample {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return (done) => {
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    return { done, heap: heapUsed, resident: rss };
  };
}

/** Why memory is not flat, undefined if it is: the last sample against the first that was taken after a tenth of the run. */
export function memoryProblem(samples: readonly MemorySample[], inputs: number): string | undefined {
  const first = samples.find(({ done }) => done >= inputs / 10);
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const growth = (name: "heap" | "resident", limit: number) => {
    const grown = last[name] - first[name];
    return grown > limit ? `${name} memory grew by ${grown} bytes, more than ${limit}` : undefined;
  };
  return growth("heap", HEAP_GROWTH_LIMIT) ?? growth("resident", RESIDENT_GROWTH_LIMIT);
}
