import type { MemoryGrowth } from "./memory.ts";
import type { StartUp } from "./start-up.ts";
import type { ThroughputRow } from "./throughput.ts";

/** What the project promises on two cores with two workers. */
const CPU_RATIO = { "front door": 1.15, "quote, constant KEYID": 1.3, "quote, fresh KEYID": 1.3 } as const;
const RSS_MEGABYTES = 100;
const GROWTH_MEGABYTES = 5;
const EXISTING_STATE_MS = 300;
const FIRST_START_MS = 1_500;

export interface Verdict {
  readonly what: string;
  readonly measured: number;
  readonly atMost: number;
  readonly unit: string;
  readonly met: boolean;
}

export interface Results {
  readonly throughput: readonly ThroughputRow[];
  readonly startUp: { readonly existingState: StartUp; readonly firstStart: StartUp };
  readonly memory: MemoryGrowth | undefined;
}

/** Every promise beside what was measured. Nothing fails here: the reader, or the program that reads the JSON, decides. */
export function judge({ throughput, startUp, memory }: Results): Verdict[] {
  const verdicts = throughput.map((row) =>
    verdict(`CPU of ${row.workload}, ${row.clients} clients`, row.cpuRatio, CPU_RATIO[row.workload], "x C"),
  );
  verdicts.push(
    verdict("first quote, existing state", startUp.existingState.firstQuoteMs, EXISTING_STATE_MS, "ms"),
    verdict("first quote, very first start", startUp.firstStart.firstQuoteMs, FIRST_START_MS, "ms"),
  );
  if (memory !== undefined) {
    const most = Math.max(memory.after100k.rssMegabytes, memory.after1M.rssMegabytes);
    verdicts.push(
      verdict("RSS under load", most, RSS_MEGABYTES, "MB"),
      verdict("RSS growth, 100,000 to 1,000,000 requests", memory.growthMegabytes, GROWTH_MEGABYTES, "MB"),
    );
  }
  return verdicts;
}

function verdict(what: string, measured: number, atMost: number, unit: string): Verdict {
  return { what, measured, atMost, unit, met: measured <= atMost };
}
