import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildBundle } from "../packages/cli/build.ts";
import { type AdmissionPlan, measureAdmission } from "./admission/measure.ts";
import { judgeAdmission, renderAdmission } from "./admission/table.ts";
import { buildHttpLoad, buildLoad, buildPrograms, buildTlsLoad, buildVerifyLimit, type Programs } from "./build.ts";
import { measureHelperQuotes } from "./collateral/helper-quotes.ts";
import { type CollateralPlan, measureCollateral } from "./collateral/measure.ts";
import { renderCollateral } from "./collateral/table.ts";
import { judgeCollateral } from "./collateral/targets.ts";
import { type MemoryGrowth, measureMemory } from "./memory.ts";
import { checkSameWork, firstQuote, type Workload, writeRequests } from "./preparation.ts";
import { killRunningServers, ServerProcess, stopRunningServers } from "./server-process.ts";
import { measureStartUp } from "./start-up.ts";
import { renderTable } from "./table.ts";
import { judge, type Results } from "./targets.ts";
import { type Contender, measureThroughput, type ThroughputPlan } from "./throughput.ts";
import { measureVerification, type VerificationPlan } from "./verification/measure.ts";
import { renderVerification } from "./verification/table.ts";
import { judgeVerification } from "./verification/targets.ts";

const WORKERS = 2;
/** Not where `npm run build` writes: a build meanwhile would take away what is measured. */
const BUNDLE = fileURLToPath(new URL("target/confcom", import.meta.url));

const USAGE = `Usage: npm run bench -- [options]
  --json            print the results as JSON
  --quick           two rounds, 1 and 32 clients, no memory run: a minute, for a first look
  --rounds N        rounds per figure (default 5)
  --clients LIST    concurrent clients (default 1,8,32,64)
  --no-memory       leave out the run of 1,000,000 requests
  --verify          quote verification only; --no-verify leaves it out
  --collateral      the collateral service only; --no-collateral leaves it out
  --webhook         the admission webhook only; --no-webhook leaves it out
  --evp             the limit of verification through EVP_DigestVerify, a fifth dearer
  --command TEXT    measure another AESM server: its command line with {socket}, {state} and {workers}
`;

interface Options {
  readonly json: boolean;
  readonly memory: boolean;
  readonly startUps: number;
  readonly plan: ThroughputPlan;
  readonly quoteHelper: boolean;
  readonly verification: VerificationPlan | undefined;
  readonly collateral: (CollateralPlan & { readonly bundle: string }) | undefined;
  readonly webhook: AdmissionPlan | undefined;
  /** The quote helper's command line. */
  command(socketPath: string, statePath: string): string[];
}

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function options(): Promise<Options> {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      clients: { type: "string" },
      memory: { type: "boolean" },
      verify: { type: "boolean" },
      collateral: { type: "boolean" },
      webhook: { type: "boolean" },
      evp: { type: "boolean", default: false },
      command: { type: "string" },
      help: { type: "boolean", default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const { quick } = values;
  const rounds = positive(values.rounds ?? (quick ? "2" : "5"));
  const clients = (values.clients ?? (quick ? "1,32" : "1,8,32,64")).split(",").map(positive);
  const plan: ThroughputPlan = {
    rounds,
    clients,
    warmUpRequests: quick ? 20_000 : 50_000,
    requests: (workload, concurrent) => {
      const full =
        workload === "front door" ? (concurrent === 1 ? 25_000 : 80_000) : concurrent === 1 ? 15_000 : 40_000;
      return quick ? full / 2 : full;
    },
  };
  const { command } = values;
  // A part that is named runs alone, or with the others that are named.
  const named = values.verify === true || values.collateral === true || values.webhook === true;
  const quoteHelper = !named;
  const collateral = named ? values.collateral === true : values.collateral !== false && command === undefined;
  const bundle = (command === undefined && quoteHelper) || collateral ? await buildBundle(BUNDLE) : undefined;
  return {
    json: values.json,
    memory: values.memory ?? !quick,
    startUps: quick ? 3 : 9,
    plan,
    quoteHelper,
    verification:
      values.verify === false || (named && values.verify !== true)
        ? undefined
        : { rounds: values.rounds === undefined && !quick ? 9 : rounds, scale: quick ? 6 : 12, evp: values.evp },
    collateral:
      collateral && bundle !== undefined ? { bundle: bundle.main, ...collateralPlan(quick, values.rounds) } : undefined,
    webhook: (named ? values.webhook === true : values.webhook !== false && command === undefined)
      ? admissionPlan(quick, values.rounds)
      : undefined,
    command: (socketPath, statePath) =>
      bundle === undefined
        ? (command ?? "")
            .split(" ")
            .map((word) =>
              word
                .replaceAll("{socket}", socketPath)
                .replaceAll("{state}", statePath)
                .replaceAll("{workers}", String(WORKERS)),
            )
        : [
            process.execPath,
            bundle.main,
            "quote-helper",
            ...["--socket", socketPath, "--state", statePath, "--workers", String(WORKERS)],
          ],
  };
}

/** Five certificates a platform make a database of 1 GiB. */
function collateralPlan(quick: boolean, rounds: string | undefined): CollateralPlan {
  const given = rounds === undefined ? undefined : positive(rounds);
  return {
    fleet: quick ? { platforms: 10_000, certificatesEach: 1 } : { platforms: 100_000, certificatesEach: 5 },
    clients: 64,
    rounds: given ?? (quick ? 2 : 7),
    roundsWithImport: given ?? (quick ? 1 : 3),
    requests: quick ? 10_000 : 20_000,
    coldStarts: quick ? 3 : 5,
  };
}

/** As fast as it goes, and at a rate that few clusters make pods at. */
function admissionPlan(quick: boolean, rounds: string | undefined): AdmissionPlan {
  const scale = quick ? 1 : 4;
  return {
    rounds: rounds === undefined ? (quick ? 2 : 5) : positive(rounds),
    loads: [
      { clients: 1, rate: 0, requests: 1_000 * scale },
      { clients: 64, rate: 0, requests: 2_500 * scale },
      { clients: 64, rate: 500, requests: 500 * scale },
    ],
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  process.stderr.write(`bench: "${text}" is not a number of something\n${USAGE}`);
  process.exit(64);
}

async function measure(programs: Programs, options: Options, directory: string): Promise<Results> {
  const helper = (name: string): ServerProcess => {
    const socketPath = join(directory, `${name}.socket`);
    return new ServerProcess("confcom", socketPath, options.command(socketPath, join(directory, name)), process.env);
  };

  const startUp = {
    firstStart: await measureStartUp(() => helper("start"), join(directory, "start"), options.startUps, true, progress),
    existingState: await measureStartUp(
      () => helper("start"),
      join(directory, "start"),
      options.startUps,
      false,
      progress,
    ),
  };

  const ours = helper("load");
  await ours.accepting();
  const platform = await firstQuote(ours.socketPath);
  const requests = writeRequests(directory, platform);
  const targetInfoFile = join(directory, "target-info");
  const quoteFile = join(directory, "quote");
  writeFileSync(targetInfoFile, platform.targetInfo);
  writeFileSync(quoteFile, platform.quote);

  const limitSocket = join(directory, "limit.socket");
  const theirs = new ServerProcess(
    "limit",
    limitSocket,
    [programs.limit, limitSocket, targetInfoFile, quoteFile, String(WORKERS)],
    process.env,
  );
  await theirs.accepting();
  const contender = async (server: ServerProcess, pids: readonly number[]): Promise<Contender> => ({
    name: server.name,
    socketPath: server.socketPath,
    pids,
    files: await checkSameWork(server.name, server.socketPath, platform, requests, directory),
  });
  const confcom = await contender(ours, [ours.pid]);
  const limit = await contender(theirs, limitPids(theirs.output));
  const throughput = await measureThroughput(programs.load, confcom, limit, options.plan, progress);
  await stopRunningServers();

  let memory: MemoryGrowth | undefined;
  if (options.memory) {
    // The same state directory, so the same target info; the requests made above are still good.
    const fresh = helper("load");
    await fresh.accepting();
    await firstQuote(fresh.socketPath);
    const workload: Workload = "quote, fresh KEYID";
    const files = confcom.files.get(workload);
    if (files === undefined) throw new Error(`no requests for ${workload}`);
    memory = await measureMemory(programs.load, { ...confcom, pids: [fresh.pid] }, fresh.pid, files, progress);
    await fresh.stop();
  }
  return { throughput, startUp, memory };
}

async function collateralResults(plan: CollateralPlan & { readonly bundle: string }, directory: string) {
  const { bundle, rounds, requests } = plan;
  const service = await measureCollateral(bundle, buildHttpLoad(), directory, plan, progress);
  const quotes = await measureHelperQuotes(bundle, buildLoad(), directory, { rounds, requests }, progress);
  return { service, quotes, verdicts: judgeCollateral(service, quotes) };
}

/** The limit's workers, from its "ready PID PID" line. */
function limitPids(output: string): number[] {
  const pids = /^ready((?: \d+)+)$/m.exec(output)?.[1]?.trim().split(" ").map(Number);
  if (pids === undefined || pids.length !== WORKERS) throw new Error(`the limit server said: ${output}`);
  return pids;
}

process.on("exit", killRunningServers);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

async function main(): Promise<void> {
  const chosen = await options();
  const directory = mkdtempSync(join(tmpdir(), "confcom-bench-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const results = chosen.quoteHelper ? await measure(buildPrograms(), chosen, directory) : undefined;
  const verification =
    chosen.verification && (await measureVerification(buildVerifyLimit(), directory, chosen.verification, progress));
  const collateral = chosen.collateral && (await collateralResults(chosen.collateral, directory));
  const webhook = chosen.webhook && (await measureAdmission(buildTlsLoad(), directory, chosen.webhook, progress));
  const verdicts = results && judge(results);
  const verificationVerdicts = verification && judgeVerification(verification);
  if (chosen.json) {
    const machine = {
      node: process.version,
      cores: availableParallelism(),
      cpu: cpus()[0]?.model ?? "",
      kernel: release(),
    };
    const quoteHelper = results && { workers: WORKERS, ...results, verdicts };
    const output = {
      machine,
      ...quoteHelper,
      verification: verification && { ...verification, verdicts: verificationVerdicts },
      collateral,
      webhook: webhook && { ...webhook, verdicts: judgeAdmission(webhook) },
    };
    process.stdout.write(`${JSON.stringify(output, null, 2)}\n`);
    return;
  }
  const tables: string[] = [];
  if (results && verdicts) tables.push(renderTable(results, verdicts));
  if (verification && verificationVerdicts) tables.push(renderVerification(verification, verificationVerdicts));
  if (collateral) tables.push(renderCollateral(collateral.service, collateral.quotes, collateral.verdicts));
  if (webhook) tables.push(renderAdmission(webhook, judgeAdmission(webhook)));
  process.stdout.write(tables.join("\n"));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(70);
}
