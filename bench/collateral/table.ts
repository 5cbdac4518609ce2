import { column } from "../column.ts";
import type { HelperQuotes } from "./helper-quotes.ts";
import type { CollateralResults, HttpRow } from "./measure.ts";
import type { CollateralVerdict } from "./targets.ts";

/** The results as text for a terminal of 110 columns. */
export function renderCollateral(
  service: CollateralResults,
  quotes: HelperQuotes,
  verdicts: readonly CollateralVerdict[],
): string {
  const { fleet, clients, databaseMegabytes, memory, coldStart } = service;
  const count = (number: number): string => number.toLocaleString("en-US");
  const lines = [
    `collateral service, ${clients} clients, ${count(fleet.platforms)} platforms`,
    "                               rows/s    requests/s      CPU us/request     of       p50 us          p99 us",
    "workload                     imported confcom   limit  confcom  limit  limit  confcom limit  confcom  limit",
    ...service.throughput.map(row),
    "beside an import CPU is that of the thread that answers, and the limit runs while the service imports",
    "",
    `RSS: ${memory.atStart.rssMegabytes.toFixed(0)} MB at start, ${memory.cached.rssMegabytes.toFixed(0)} MB with ` +
      `${count(fleet.platforms)} certificates cached`,
    `cold start with a database of ${count(Math.round(databaseMegabytes))} MB: first answer after ` +
      `${coldStart.medianMs.toFixed(0)} ms`,
    `quote through the helper: ${quotes.withPccs.cpuMicroseconds.toFixed(1)} us registered at a PCCS, ` +
      `${quotes.alone.cpuMicroseconds.toFixed(1)} us alone, ratio ${quotes.ratio.toFixed(3)}`,
    "",
  ];
  for (const { what, measured, target, met } of verdicts) {
    const digits = measured >= 100 ? 0 : 2;
    lines.push(`${met ? "met    " : "NOT MET"}  ${what}: ${measured.toFixed(digits)}, target ${target}`);
  }
  return `${lines.join("\n")}\n`;
}

function row({ workload, importedRows, confcom, limit, ofLimit }: HttpRow): string {
  const cost = importedRows > 0 ? "mainThreadMicroseconds" : "cpuMicroseconds";
  return [
    workload.padEnd(27),
    importedRows > 0 ? column(importedRows, 9) : "        -",
    column(confcom.perSecond, 7),
    column(limit.perSecond, 7),
    column(confcom[cost], 8, 1),
    column(limit[cost], 6, 1),
    column(ofLimit, 6, 2),
    column(confcom.p50Microseconds, 8),
    column(limit.p50Microseconds, 5),
    column(confcom.p99Microseconds, 8),
    column(limit.p99Microseconds, 6),
  ].join(" ");
}
