import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LoadFiles, type Measurement, runLoad } from "../load.ts";
import { checkSameWork, firstQuote, type Workload, writeRequests } from "../preparation.ts";
import { ServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { adminToken } from "./import.ts";

const WORKLOAD: Workload = "quote, constant KEYID";
const WORKERS = "2";
const CLIENTS = 32;

export interface HelperQuotes {
  /** Registered at a PCCS, everything from there kept. */
  readonly withPccs: Measurement;
  /** Certified by its own authority: no provider at all. */
  readonly alone: Measurement;
  /** CPU per quote, with over without: the median over the rounds of the ratio within a round. */
  readonly ratio: number;
}

/** Quotes of two quote helpers in turn: one registered at a PCCS of the software platform, one with its own authority. */
export async function measureHelperQuotes(
  bundle: string,
  load: string,
  directory: string,
  { rounds, requests }: { readonly rounds: number; readonly requests: number },
  progress: (line: string) => void,
): Promise<HelperQuotes> {
  const program = [process.execPath, bundle];
  const user = adminToken();
  const file = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const pccs = new ServerProcess(
    "pccs",
    "",
    [
      ...[...program, "pccs", "--json", "--http", "--listen", "127.0.0.1:0", "--upstream", "software"],
      ...["--state", join(directory, "pccs"), "--user-token-file", file("user-hashes", `${user.hash}\n`)],
    ],
    process.env,
  );
  const { url, rootCertificate } = JSON.parse(await pccs.said(/^(\{"ready":true.*\})$/m)) as Record<string, string>;
  const registered = [
    ...["--pccs", url ?? "", "--pccs-root", file("root.pem", rootCertificate ?? "")],
    ...["--pccs-user-token-file", file("user-token", user.token)],
  ];
  const helper = async (name: string, options: readonly string[]) => {
    const socketPath = join(directory, `${name}.socket`);
    const argv = [...program, "quote-helper", "--socket", socketPath, "--state", join(directory, name)];
    const server = new ServerProcess(name, socketPath, [...argv, "--workers", WORKERS, ...options], process.env);
    await server.accepting();
    const platform = await firstQuote(socketPath);
    const own = join(directory, `${name}-requests`);
    mkdirSync(own);
    const files = await checkSameWork(name, socketPath, platform, writeRequests(own, platform), own);
    return { server, name, socketPath, pids: [server.pid], files: files.get(WORKLOAD) as LoadFiles };
  };
  const withPccs = await helper("registered", registered);
  const alone = await helper("alone", []);
  for (const each of [withPccs, alone]) await runLoad(load, each, each.files, CLIENTS, requests);
  const own: Measurement[] = [];
  const other: Measurement[] = [];
  for (let round = 1; round <= rounds; round++) {
    const [a, b] = [
      await runLoad(load, withPccs, withPccs.files, CLIENTS, requests),
      await runLoad(load, alone, alone.files, CLIENTS, requests),
    ];
    own.push(a);
    other.push(b);
    progress(
      `quote through the helper, round ${round}/${rounds}: ${a.cpuMicroseconds.toFixed(1)} us with a PCCS, ` +
        `${b.cpuMicroseconds.toFixed(1)} us without, ratio ${(a.cpuMicroseconds / b.cpuMicroseconds).toFixed(3)}`,
    );
  }
  await Promise.all([withPccs.server.stop(), alone.server.stop(), pccs.stop()]);
  const ratios = own.map((each, round) => each.cpuMicroseconds / (other[round]?.cpuMicroseconds ?? Number.NaN));
  return { withPccs: typical(own), alone: typical(other), ratio: median(ratios) };
}

/** The round whose CPU figure is the middle one. */
function typical(measurements: readonly Measurement[]): Measurement {
  const sorted = [...measurements].sort((a, b) => a.cpuMicroseconds - b.cpuMicroseconds);
  return sorted[Math.floor((sorted.length - 1) / 2)] as Measurement;
}
