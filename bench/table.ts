import { column } from "./column.ts";
import type { Results, Verdict } from "./targets.ts";

/** The results as text for a terminal of 110 columns. */
export function renderTable({ throughput, startUp, memory }: Results, verdicts: readonly Verdict[]): string {
  const lines: string[] = [];
  lines.push(
    "                                  requests/s        CPU us/request          p50 us          p99 us",
    "workload              clients  confcom   limit   confcom  limit  ratio  confcom limit  confcom limit  target",
  );
  for (const { workload, clients, confcom, limit, cpuRatio } of throughput) {
    const target = verdicts.find(({ what }) => what === `CPU of ${workload}, ${clients} clients`);
    lines.push(
      [
        workload.padEnd(21),
        column(clients, 7, 0),
        column(confcom.perSecond, 9, 0),
        column(limit.perSecond, 7, 0),
        column(confcom.cpuMicroseconds, 9, 1),
        column(limit.cpuMicroseconds, 6, 1),
        column(cpuRatio, 6, 2),
        column(confcom.p50Microseconds, 8, 0),
        column(limit.p50Microseconds, 5, 0),
        column(confcom.p99Microseconds, 8, 0),
        column(limit.p99Microseconds, 5, 0),
        target === undefined ? "" : ` <= ${target.atMost.toFixed(2)} ${target.met ? "met" : "NOT MET"}`,
      ].join(" "),
    );
  }
  const { existingState, firstStart } = startUp;
  lines.push(
    "",
    `start to first quote: ${existingState.firstQuoteMs.toFixed(0)} ms with existing state (accepting after ${existingState.acceptingMs.toFixed(0)} ms), ` +
      `${firstStart.firstQuoteMs.toFixed(0)} ms at the very first start (accepting after ${firstStart.acceptingMs.toFixed(0)} ms)`,
  );
  if (memory === undefined) lines.push("memory: not measured in this run");
  else {
    const { atStart, after100k, after1M } = memory;
    lines.push(
      `RSS: ${atStart.rssMegabytes.toFixed(1)} MB at start, ${after100k.rssMegabytes.toFixed(1)} MB after 100,000 requests, ` +
        `${after1M.rssMegabytes.toFixed(1)} MB after 1,000,000 (peak ${after1M.peakMegabytes.toFixed(1)} MB)`,
    );
  }
  lines.push("");
  for (const { what, measured, atMost, unit, met } of verdicts.filter(({ what }) => !what.startsWith("CPU of"))) {
    lines.push(
      `${met ? "met    " : "NOT MET"}  ${what}: ${measured.toFixed(1)} ${unit}, target at most ${atMost} ${unit}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
