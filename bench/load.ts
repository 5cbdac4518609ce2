import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpuMicroseconds } from "./process-usage.ts";

/** What one run of the load generator saw, and what it cost the server. */
export interface Measurement {
  readonly requests: number;
  readonly perSecond: number;
  /** User and system time of all the server's processes and threads, per request. */
  readonly cpuMicroseconds: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

export interface LoadTarget {
  readonly name: string;
  readonly socketPath: string;
  /** The processes whose CPU time is counted. */
  readonly pids: readonly number[];
}

export interface LoadFiles {
  /** Framed requests, used in turn. */
  readonly requests: string;
  /** One framed reply: all must have its length and its first bytes. */
  readonly reply: string;
}

/** Runs the load generator once. */
export async function runLoad(
  program: string,
  target: LoadTarget,
  files: LoadFiles,
  clients: number,
  requests: number,
): Promise<Measurement> {
  const before = cpuMicroseconds(target.pids);
  const args = [target.socketPath, files.requests, files.reply, String(clients), String(requests)];
  const reported = await loadReport(program, args, target.name);
  const spent = cpuMicroseconds(target.pids) - before;
  return {
    requests: reported("requests"),
    perSecond: reported("perSecond"),
    cpuMicroseconds: spent / reported("requests"),
    p50Microseconds: reported("p50Us"),
    p99Microseconds: reported("p99Us"),
  };
}

/**
 * Runs a load generator on the server called `name` to its end; the result reads the numbers that it reported. A single
 * wrong reply fails the benchmark: a fast wrong answer is no figure.
 */
export async function loadReport(
  program: string,
  args: readonly string[],
  name: string,
): Promise<(figure: string) => number> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => complaints.push(chunk));
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`load on ${name} ended with ${status}: ${Buffer.concat(complaints)}`);
  const seen: unknown = JSON.parse(Buffer.concat(output).toString("utf8"));
  const reported = (figure: string): number => {
    const value: unknown = typeof seen === "object" && seen !== null ? Reflect.get(seen, figure) : undefined;
    if (typeof value !== "number") throw new Error(`the load generator reported no ${figure}`);
    return value;
  };
  if (reported("errors") !== 0) {
    throw new Error(`${reported("errors")} of ${reported("requests")} replies of ${name} were wrong`);
  }
  return reported;
}
