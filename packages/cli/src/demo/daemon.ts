import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";

export interface Daemon {
  readonly pid: number;
  readonly ready: { readonly workers: number; readonly platform: string };
  /** SIGTERM, then the exit status; SIGKILL when it does not leave in five seconds. */
  stop(): Promise<number | null>;
  /** For a process that is itself ending. */
  kill(): void;
}

const READY_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 5_000;

/** Starts `confcom quote-helper` as a process of its own and waits for its ready line. Throws CommandError. */
export async function startDaemon(args: readonly string[]): Promise<Daemon> {
  const main = process.argv[1] as string;
  const child = spawn(process.execPath, [...process.execArgv, main, "quote-helper", "--json", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const exited = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  const ready = await Promise.race([readyLine(child), exited.then(() => undefined), timeout(READY_DEADLINE_MS)]);
  if (ready === undefined) {
    child.kill("SIGKILL");
    throw new CommandError(
      "CLI_QUOTE_HELPER_FAILED",
      `the quote helper did not become ready: ${errors.slice(-3).join(" | ") || "it printed nothing"}`,
      "Run `confcom quote-helper` with the same options to see its log.",
      { exitCode: ExitCode.UNAVAILABLE },
    );
  }
  return {
    pid: child.pid as number,
    ready,
    kill: () => child.kill("SIGKILL"),
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
      const message = JSON.parse(line) as { ready?: unknown; workers?: unknown; platform?: unknown };
      if (message.ready === true) return { workers: Number(message.workers), platform: String(message.platform) };
    } catch {
      // Not JSON: not the ready line.
    }
  }
  return undefined;
}
