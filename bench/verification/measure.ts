import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "../statistics.ts";
import { AskedProcess, type Cost } from "./asked-process.ts";
import { readInputs } from "./inputs.ts";
import { measureScaling, type Scaling } from "./scaling.ts";
import { traceSignatures } from "./signature-trace.ts";

export interface VerificationRow {
  readonly input: string;
  readonly workload: "cold" | "warm";
  /** What the limit does, and nothing else. */
  readonly imports: number;
  readonly verifications: number;
  /** CPU microseconds of one verification. */
  readonly confcom: number;
  readonly limit: number;
  readonly npm: number;
  /** The limit's CPU time over ours: 1 would be all time spent in signatures. Median of the ratio within each round. */
  readonly ofLimit: number;
  /** How many times as fast as the npm library. */
  readonly timesNpm: number;
}

export interface ParseRow {
  readonly input: string;
  readonly microseconds: number;
}

export interface VerificationResults {
  readonly versions: { readonly confcom: string; readonly limit: string };
  readonly rows: readonly VerificationRow[];
  readonly parsing: readonly ParseRow[];
  readonly scaling: Scaling;
}

export interface VerificationPlan {
  readonly rounds: number;
  /** Operations of one run are this many times those that take about 20 ms. */
  readonly scale: number;
  /** Whether the limit goes through EVP_DigestVerify instead of ECDSA_verify. */
  readonly evp: boolean;
}

/** Operations that take about 20 ms. */
const COUNTS = { cold: 20, warm: 100, parse: 1_500, npm: 5 } as const;

/** How many runs' worth of operations each contender does before the first measured one. */
const WARM_UP = 3;

/** Measures verification beside its limit and the npm library, in turn, round after round. */
export async function measureVerification(
  limitProgram: string,
  directory: string,
  plan: VerificationPlan,
  progress: (line: string) => void,
): Promise<VerificationResults> {
  const inputs = readInputs();
  const traces = inputs.map(traceSignatures);
  const paths = traces.flatMap(({ cold, warm }, i) =>
    [cold, warm].map((trace, kind) => {
      const path = join(directory, `trace-${i}-${kind}`);
      writeFileSync(path, trace.encoded);
      return path;
    }),
  );
  const contender = fileURLToPath(new URL("./contender.ts", import.meta.url));
  const processes: AskedProcess[] = [];
  const start = async (name: string, command: string, args: readonly string[]): Promise<AskedProcess> => {
    const started = await AskedProcess.start(name, command, args);
    processes.push(started);
    return started;
  };
  try {
    const confcom = await start("confcom", process.execPath, [contender, "confcom"]);
    const npm = await start("npm @phala/dcap-qvl", process.execPath, [contender, "npm"]);
    const limit = await start("limit", limitProgram, plan.evp ? ["--evp", ...paths] : paths);
    const ours = (workload: "cold" | "warm" | "parse", input: number) =>
      confcom.ask(`${workload} ${input} ${COUNTS[workload] * plan.scale}`);
    const theirs = (input: number) => npm.ask(`cold ${input} ${COUNTS.npm * plan.scale}`);
    const limits = (workload: "cold" | "warm", input: number) =>
      limit.ask(`${2 * input + (workload === "warm" ? 1 : 0)} ${COUNTS[workload] * plan.scale}`);

    for (let i = 0; i < inputs.length; i++) {
      progress(`warm-up: ${inputs[i]?.name}`);
      for (let run = 0; run < WARM_UP; run++) {
        await ours("parse", i);
        await ours("cold", i);
        await ours("warm", i);
        await theirs(i);
      }
    }
    const rows: VerificationRow[] = [];
    const parsing: ParseRow[] = [];
    for (const [i, { name }] of inputs.entries()) {
      const costs: Record<"cold" | "warm" | "parse" | "coldLimit" | "warmLimit" | "npm", number[]> = {
        cold: [],
        warm: [],
        parse: [],
        coldLimit: [],
        warmLimit: [],
        npm: [],
      };
      const take = async (list: number[], cost: Promise<Cost>): Promise<number> => {
        const { cpuMicroseconds } = await cost;
        list.push(cpuMicroseconds);
        return cpuMicroseconds;
      };
      for (let round = 1; round <= plan.rounds; round++) {
        const warm = await take(costs.warm, ours("warm", i));
        const warmLimit = await take(costs.warmLimit, limits("warm", i));
        const cold = await take(costs.cold, ours("cold", i));
        const coldLimit = await take(costs.coldLimit, limits("cold", i));
        const library = await take(costs.npm, theirs(i));
        const parse = await take(costs.parse, ours("parse", i));
        progress(
          `${name}, round ${round}/${plan.rounds}: warm ${warm.toFixed(0)} us, limit ${warmLimit.toFixed(0)}; ` +
            `cold ${cold.toFixed(0)}, limit ${coldLimit.toFixed(0)}; npm ${library.toFixed(0)}; parse ${parse.toFixed(1)}`,
        );
      }
      for (const workload of ["cold", "warm"] as const) {
        const own = costs[workload];
        const least = workload === "cold" ? costs.coldLimit : costs.warmLimit;
        const of = (others: readonly number[]) =>
          median(own.map((cost, round) => (others[round] ?? Number.NaN) / cost));
        const traced = traces[i]?.[workload];
        rows.push({
          input: name,
          workload,
          imports: traced?.imports ?? 0,
          verifications: traced?.verifications ?? 0,
          confcom: median(own),
          limit: median(least),
          npm: median(costs.npm),
          ofLimit: of(least),
          timesNpm: of(costs.npm),
        });
      }
      parsing.push({ input: name, microseconds: median(costs.parse) });
    }
    const versions = { confcom: confcom.version, limit: limit.version };
    await Promise.all(processes.map((one) => one.stop()));
    return { versions, rows, parsing, scaling: await measureScaling(plan.rounds, 25 * plan.scale, progress) };
  } finally {
    for (const one of processes) one.kill();
  }
}
