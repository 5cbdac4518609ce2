import { type LoadFiles, type LoadTarget, type Measurement, runLoad } from "./load.ts";
import { WORKLOADS, type Workload } from "./preparation.ts";
import { median, medians } from "./statistics.ts";

export interface Contender extends LoadTarget {
  readonly files: ReadonlyMap<Workload, LoadFiles>;
}

export interface ThroughputRow {
  readonly workload: Workload;
  readonly clients: number;
  readonly confcom: Measurement;
  readonly limit: Measurement;
  /** CPU per request, ours over the limit's: the median over the rounds of the ratio within a round. */
  readonly cpuRatio: number;
}

export interface ThroughputPlan {
  readonly clients: readonly number[];
  readonly rounds: number;
  readonly warmUpRequests: number;
  /** Requests of one run: enough for a second or two, so that the kernel's 10 ms tick does not matter. */
  requests(workload: Workload, clients: number): number;
}

/** Runs both servers in turn, round after round, so that whatever else the machine does falls on both. */
export async function measureThroughput(
  load: string,
  confcom: Contender,
  limit: Contender,
  plan: ThroughputPlan,
  progress: (line: string) => void,
): Promise<ThroughputRow[]> {
  for (const contender of [confcom, limit]) {
    for (const workload of WORKLOADS) {
      progress(`warm-up: ${contender.name}, ${workload}`);
      await runLoad(load, contender, filesOf(contender, workload), 32, plan.warmUpRequests);
    }
  }
  const rows: ThroughputRow[] = [];
  for (const workload of WORKLOADS) {
    for (const clients of plan.clients) {
      const requests = plan.requests(workload, clients);
      const ours: Measurement[] = [];
      const theirs: Measurement[] = [];
      for (let round = 1; round <= plan.rounds; round++) {
        ours.push(await runLoad(load, confcom, filesOf(confcom, workload), clients, requests));
        theirs.push(await runLoad(load, limit, filesOf(limit, workload), clients, requests));
        const [a, b] = [ours.at(-1)?.cpuMicroseconds ?? 0, theirs.at(-1)?.cpuMicroseconds ?? 0];
        progress(
          `${workload}, ${clients} clients, round ${round}/${plan.rounds}: ` +
            `${a.toFixed(1)} us, limit ${b.toFixed(1)} us, ratio ${(a / b).toFixed(2)}`,
        );
      }
      const ratios = ours.map((own, round) => own.cpuMicroseconds / (theirs[round]?.cpuMicroseconds ?? Number.NaN));
      rows.push({
        workload,
        clients,
        confcom: medians(ours),
        limit: medians(theirs),
        cpuRatio: median(ratios),
      });
    }
  }
  return rows;
}

function filesOf(contender: Contender, workload: Workload): LoadFiles {
  const files = contender.files.get(workload);
  if (files === undefined) throw new Error(`no requests for ${workload}`);
  return files;
}
