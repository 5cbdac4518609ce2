import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";

/** What its ready line says, as far as the demo looks at it. */
export interface ReadyLine {
  /** Of a quote helper. */
  readonly workers: number;
  /** Of a PCCS: where it serves, and the root certificate of a software upstream. */
  readonly url: string;
  readonly rootCertificate: string;
}

export interface Daemon {
  readonly pid: number;
  readonly ready: ReadyLine;
  /** SIGTERM, then the exit status; SIGKILL when it does not leave in five seconds. */
  stop(): Promise<number | null>;
}

const READY_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 5_000;
const TOLD_TOO_MS = 500;

/**
 * Starts one of confcom's daemons as a process of its own and waits for its ready line. `onSpawn` gets what kills it at
 * once, for whoever ends before it is ready. Throws CommandError.
 */
export async function startDaemon(
  command: "quote-helper" | "pccs",
  args: readonly string[],
  onSpawn: (kill: () => void) => void,
): Promise<Daemon> {
  const main = process.argv[1] as string;
  const child = spawn(process.execPath, [...process.execArgv, main, command, "--json", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => void child.kill("SIGKILL");
  onSpawn(kill);
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const exited = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  const ready = await Promise.race([readyLine(child), exited.then(() => undefined), timeout(READY_DEADLINE_MS)]);
  if (ready === undefined) {
    kill();
    // Ctrl-C reaches the daemon too: when it leaves as told, this process is about to be told the same.
    if (child.exitCode === 0) await new Promise((resolve) => setTimeout(resolve, TOLD_TOO_MS));
    throw new CommandError(
      "CLI_QUOTE_HELPER_FAILED",
      `confcom ${command} did not become ready: ${errors.slice(-3).join(" | ") || "it printed nothing"}`,
      `Run \`confcom ${command}\` with the same options to see its log.`,
      { exitCode: ExitCode.UNAVAILABLE },
    );
  }
  return {
    pid: child.pid as number,
    ready,
    stop: async () => {
      child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
      const code = await exited;
      clearTimeout(forced);
      return code;
    },
  };
}

function timeout(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), milliseconds).unref());
}

async function readyLine(child: ChildProcess): Promise<Daemon["ready"] | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    try {
      const { ready, workers, url, rootCertificate } = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (ready !== true) continue;
      return { workers: Number(workers), url: String(url), rootCertificate: String(rootCertificate) };
    } catch {
      // Not JSON: not the ready line.
    }
  }
  return undefined;
}
