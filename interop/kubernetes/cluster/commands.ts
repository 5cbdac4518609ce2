import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import type { Finished, RunOptions } from "./cluster.ts";
import { ClusterError } from "./errors.ts";
import { enterNetwork, spawnInMachine } from "./namespaces.ts";

const DEFAULT_TIMEOUT_MS = 60_000;
/** Output beyond this is cut off: nothing that a test reads is longer. */
const MAXIMUM_OUTPUT = 256 * 1024 * 1024;

export interface CommandOptions extends RunOptions {
  /** Becomes the program's standard input, without passing through this process. */
  readonly inputFile?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program in every namespace of the machine whose first process is `init`. */
export function runInMachine(init: number, argv: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  return withInput(options, (stdin) => {
    const stdio = [stdin, "pipe", "pipe"] as const;
    return spawnInMachine(init, argv, { stdio: [...stdio], tied: true, env: options.env ?? {} });
  }).then((child) => finish(child, argv, options));
}

/** Runs a program of this machine, with this machine's files, in the network namespace of `init` alone. */
export function runInNetwork(init: number, argv: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  const [program = "", ...rest] = enterNetwork(init, argv);
  return withInput(options, (stdin) =>
    spawn(program, rest, {
      stdio: [stdin, "pipe", "pipe"],
      env: { ...process.env, ...options.env },
    }),
  ).then((child) => finish(child, argv, options));
}

async function withInput(
  options: CommandOptions,
  start: (stdin: "ignore" | "pipe" | number) => ChildProcess,
): Promise<ChildProcess> {
  if (options.inputFile === undefined) return start(options.input === undefined ? "ignore" : "pipe");
  const file = openSync(options.inputFile, "r");
  try {
    return start(file);
  } finally {
    closeSync(file);
  }
}

function finish(child: ChildProcess, argv: readonly string[], options: CommandOptions): Promise<Finished> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const collected = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let bytes = 0;
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAXIMUM_OUTPUT) collected[name].push(chunk);
    });
  }
  if (options.input !== undefined) {
    // A program that ends before it has read everything breaks the pipe; its status tells more.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input);
  }
  return new Promise((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new ClusterError("COMMAND_FAILED", `${argv.join(" ")}: ${error.message}`, { cause: error }));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString("utf8");
      const stdout = text(collected.stdout);
      const stderr = text(collected.stderr);
      if (timedOut) {
        const message = `${argv.join(" ")}: not done after ${timeoutMs / 1000} s\n${stdout}${stderr}`;
        reject(new ClusterError("TIMEOUT", message));
        return;
      }
      const status = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      if (status === 0 || options.allowFailure) resolve({ stdout, stderr, status });
      else {
        const said = `${stderr}${stdout}`.trim();
        reject(new ClusterError("COMMAND_FAILED", `${argv.join(" ")}: status ${status}\n${said}`));
      }
    });
  });
}
