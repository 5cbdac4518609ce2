import type { HelperQuotes } from "./helper-quotes.ts";
import type { CollateralResults } from "./measure.ts";

/** What the project promises: of a bare node:http server that sends the same bytes. */
const OF_LIMIT = 0.75;
const IMPORT_ROWS = 10_000;
const HELPER_RATIO = 1.05;

export interface CollateralVerdict {
  readonly what: string;
  readonly measured: number;
  readonly target: string;
  readonly met: boolean;
}

/** Every promise beside what was measured; nothing fails here. */
export function judgeCollateral(service: CollateralResults, quotes: HelperQuotes): CollateralVerdict[] {
  const verdicts: CollateralVerdict[] = [];
  const atLeast = (what: string, measured: number, least: number): void => {
    verdicts.push({ what, measured, target: `at least ${least}`, met: measured >= least });
  };
  for (const { workload, importedRows, ofLimit } of service.throughput) {
    atLeast(`${workload}${importedRows > 0 ? ", beside an import" : ""}: of the limit`, ofLimit, OF_LIMIT);
  }
  const imported = service.throughput.map(({ importedRows }) => importedRows).filter((rows) => rows > 0);
  if (imported.length > 0) atLeast("rows/s imported beside the load", Math.min(...imported), IMPORT_ROWS);
  verdicts.push({
    what: "CPU of a quote, registered at a PCCS over alone",
    measured: quotes.ratio,
    target: `at most ${HELPER_RATIO}`,
    met: quotes.ratio <= HELPER_RATIO,
  });
  return verdicts;
}
