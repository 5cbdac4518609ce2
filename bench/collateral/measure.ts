import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Memory, residentMemory } from "../process-usage.ts";
import { ServerProcess } from "../server-process.ts";
import { median, medians } from "../statistics.ts";
import { benchmarkAuthority, fleetPlatform, pckCertificateTarget } from "./fleet.ts";
import { type HttpMeasurement, type HttpTarget, runHttpLoad } from "./http-load.ts";
import { type AdminToken, adminToken, importDocuments, RunningImport } from "./import.ts";
import { ask, checkSameAnswers } from "./same-answers.ts";
import { type Fleet, type Seed, seededState } from "./seed.ts";

const HTTP_WORKLOADS = ["pckcert, one key", "pckcert, uniform keys", "tcb"] as const;
export type HttpWorkload = (typeof HTTP_WORKLOADS)[number];

export interface CollateralPlan {
  readonly fleet: Fleet;
  readonly clients: number;
  readonly rounds: number;
  /** Beside an import, which makes every run longer. */
  readonly roundsWithImport: number;
  readonly requests: number;
  readonly coldStarts: number;
}

export interface HttpRow {
  readonly workload: HttpWorkload;
  /** Rows per second written beside it, while either was measured; 0: no import. */
  readonly importedRows: number;
  readonly confcom: HttpMeasurement;
  readonly limit: HttpMeasurement;
  /**
   * CPU per request of the limit over ours, the median over the rounds of the ratio within a round: of whole processes, and
   * beside an import of the threads that answer.
   */
  readonly ofLimit: number;
}

export interface CollateralResults {
  readonly clients: number;
  readonly fleet: Fleet;
  readonly databaseMegabytes: number;
  readonly throughput: readonly HttpRow[];
  /** After the start, and with a certificate of every platform in the response cache. */
  readonly memory: { readonly atStart: Memory; readonly cached: Memory };
  /** Process spawn to the last byte of the first 200, milliseconds. */
  readonly coldStart: { readonly medianMs: number; readonly samples: readonly number[] };
}

const IMPORT_ROWS_PER_SECOND = 10_000;
/** Answers of the whole fleet are fetched first, as fast as misses may come. */
const FILL_TIMEOUT_MS = 180_000;
const IMPORT_SETTLES_MS = 300;

/** Measures the service: `bundle` is the program's main module. */
export async function measureCollateral(
  bundle: string,
  load: string,
  directory: string,
  plan: CollateralPlan,
  progress: (line: string) => void,
): Promise<CollateralResults> {
  const seed = await seededState(plan.fleet, progress);
  const admin = adminToken();
  const coldStart = await measureColdStart(bundle, seed, directory, admin, plan.coldStarts, progress);

  const ours = await startService(bundle, seed, directory, admin);
  const atStart = residentMemory(ours.pid);
  progress("filling both caches");
  const theirs = await startLimit(ours, seed);
  const cached = residentMemory(ours.pid);
  await checkSameAnswers(ours, theirs, [seed.targets.one, seed.targets.tcb]);

  const throughput = await measureThroughput(load, ours, theirs, seed, plan, progress);
  const documents = importDocuments(benchmarkAuthority());
  const beside = (): RunningImport => new RunningImport(ours.port, admin.token, documents, IMPORT_ROWS_PER_SECOND);
  throughput.push(...(await measureThroughput(load, ours, theirs, seed, plan, progress, beside)));
  await Promise.all([ours.stop(), theirs.stop()]);
  return {
    clients: plan.clients,
    fleet: plan.fleet,
    databaseMegabytes: seed.databaseBytes / 1e6,
    throughput,
    memory: { atStart, cached },
    coldStart,
  };
}

interface HttpServer extends HttpTarget {
  stop(): Promise<void>;
}

/** As a user starts it: OFFLINE, every limit at its default, the access log into a file. */
function spawnService(bundle: string, seed: Seed, directory: string, admin: AdminToken): ServerProcess {
  const tokens = join(directory, "admin-tokens");
  writeFileSync(tokens, `${admin.hash}\n`, { mode: 0o600 });
  const log = openSync(join(directory, "pccs.log"), "a");
  const argv = [
    ...[process.execPath, bundle, "pccs", "--json", "--mode", "offline", "--http", "--listen", "127.0.0.1:0"],
    ...["--state", seed.stateDirectory, "--upstream-root", seed.rootFile, "--admin-token-file", tokens],
  ];
  try {
    return new ServerProcess("confcom", "", argv, process.env, log);
  } finally {
    closeSync(log);
  }
}

const READY = /"url":"http:\/\/127\.0\.0\.1:(\d+)"/;

async function startService(bundle: string, seed: Seed, directory: string, admin: AdminToken): Promise<HttpServer> {
  const server = spawnService(bundle, seed, directory, admin);
  const port = Number(await server.said(READY));
  return { name: "confcom", port, pid: server.pid, stop: () => server.stop() };
}

async function startLimit({ port }: HttpTarget, seed: Seed): Promise<HttpServer> {
  const program = fileURLToPath(new URL("bare-server.ts", import.meta.url));
  const { uniform, tcb } = seed.targets;
  const argv = [process.execPath, program, `http://127.0.0.1:${port}`, uniform, tcb];
  const server = new ServerProcess("limit", "", argv, process.env);
  const own = Number(await server.said(/^ready (\d+)$/m, FILL_TIMEOUT_MS));
  return { name: "limit", port: own, pid: server.pid, stop: () => server.stop() };
}

async function measureColdStart(
  bundle: string,
  seed: Seed,
  directory: string,
  admin: AdminToken,
  times: number,
  progress: (line: string) => void,
): Promise<CollateralResults["coldStart"]> {
  const samples: number[] = [];
  for (let i = 1; i <= times; i++) {
    const server = spawnService(bundle, seed, directory, admin);
    try {
      const port = Number(await server.said(READY));
      const { status } = await ask(port, pckCertificateTarget(fleetPlatform(i)));
      if (status !== 200) throw new Error(`the service answered ${status} after its start`);
      samples.push(performance.now() - server.spawnedAt);
    } finally {
      await server.stop();
    }
    progress(`cold start ${i}/${times}: first answer after ${samples.at(-1)?.toFixed(0)} ms`);
  }
  return { medianMs: median(samples), samples };
}

async function measureThroughput(
  load: string,
  ours: HttpTarget,
  theirs: HttpTarget,
  seed: Seed,
  { clients, requests, rounds, roundsWithImport }: CollateralPlan,
  progress: (line: string) => void,
  startImport?: () => RunningImport,
): Promise<HttpRow[]> {
  const targets: Readonly<Record<HttpWorkload, string>> = {
    "pckcert, one key": seed.targets.one,
    "pckcert, uniform keys": seed.targets.uniform,
    tcb: seed.targets.tcb,
  };
  const cost = (measurement: HttpMeasurement): number =>
    startImport === undefined ? measurement.cpuMicroseconds : measurement.mainThreadMicroseconds;
  const run = (target: HttpTarget, workload: HttpWorkload) =>
    runHttpLoad(load, target, targets[workload], clients, requests);

  const rows: HttpRow[] = [];
  for (const workload of HTTP_WORKLOADS) {
    if (startImport === undefined) for (const target of [ours, theirs]) await run(target, workload);
    const running = startImport?.();
    if (running !== undefined) await delay(IMPORT_SETTLES_MS);
    const own: HttpMeasurement[] = [];
    const limit: HttpMeasurement[] = [];
    const times = running === undefined ? rounds : roundsWithImport;
    for (let round = 1; round <= times; round++) {
      const [a, b] = [await run(ours, workload), await run(theirs, workload)];
      own.push(a);
      limit.push(b);
      progress(
        `${workload}${running === undefined ? "" : ", beside an import"}, round ${round}/${times}: ` +
          `${cost(a).toFixed(1)} us, limit ${cost(b).toFixed(1)} us, ${(cost(b) / cost(a)).toFixed(2)} of it`,
      );
    }
    const importedRows = (await running?.stop()) ?? 0;
    const ratios = own.map((each, round) => cost(limit[round] as HttpMeasurement) / cost(each));
    rows.push({ workload, importedRows, confcom: medians(own), limit: medians(limit), ofLimit: median(ratios) });
  }
  return rows;
}
