import { type ChildProcess, spawn } from "node:child_process";

export interface ProgramResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const MAX_OUTPUT = 16 * 1024 * 1024;

/** Every program still running, so that an aborted run leaves nothing behind. */
const running = new Set<ChildProcess>();

/** Starts a program that this run owns. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.once("error", () => running.delete(child));
  return child;
}

/** Ends what is still running. */
export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/**
 * Runs a program to its end. A program that is not there is an error that names it and says how to get it
 * (`wayOut`); an exit status other than 0 is a result, not an error.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: { input?: Uint8Array; wayOut?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], cwd: options.cwd, env: options.env });
    running.add(child);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    const keep = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) child.kill("SIGKILL");
      else into.push(chunk);
    };
    child.stdout.on("data", keep(stdout));
    child.stderr.on("data", keep(stderr));
    child.once("error", (error) => {
      running.delete(child);
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      reject(new Error(missing ? `${command} is not installed: ${options.wayOut ?? "install it"}` : error.message));
    });
    child.once("close", (code, signal) => {
      running.delete(child);
      const words = Buffer.concat(stderr).toString("utf8");
      resolve({
        status: code ?? 128,
        stdout: Buffer.concat(stdout),
        stderr: signal === null ? words : `${words}(${signal})`,
      });
    });
    // A program that answers before it has read everything closes the pipe; its exit status says what it thought.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? new Uint8Array());
  });
}

/** Runs a program that must succeed; its standard output. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: { input?: Uint8Array; wayOut?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Buffer> {
  const result = await run(command, args, options);
  if (result.status !== 0) {
    throw new Error(`${command} ${args.slice(0, 4).join(" ")}: exit ${result.status}: ${lastWords(result)}`);
  }
  return result.stdout;
}

/** The end of what a program said, on one line. */
export function lastWords(result: ProgramResult): string {
  const words = (result.stderr.trim() || result.stdout.toString("utf8").trim()).replaceAll(/\s*\n\s*/g, " | ");
  return words.length > 400 ? `... ${words.slice(-400)}` : words;
}
