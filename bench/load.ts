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

/** Runs the load generator once. A single wrong reply fails the benchmark: a fast wrong answer is no figure. */
export async function runLoad(
  program: string,
  target: LoadTarget,
  files: LoadFiles,
  clients: number,
  requests: number,
): Promise<Measurement> {
  const before = cpuMicroseconds(target.pids);
  const child = spawn(program, [target.socketPath, files.requests, files.reply, String(clients), String(requests)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => complaints.push(chunk));
  const [status] = await once(child, "close");
  const spent = cpuMicroseconds(target.pids) - before;
  if (status !== 0) throw new Error(`load on ${target.name} ended with ${status}: ${Buffer.concat(complaints)}`);
  const seen: unknown = JSON.parse(Buffer.concat(output).toString("utf8"));
  const number = (name: string): number => {
    const value: unknown = typeof seen === "object" && seen !== null ? Reflect.get(seen, name) : undefined;
    if (typeof value !== "number") throw new Error(`the load generator reported no ${name}`);
    return value;
  };
  if (number("errors") !== 0)
    throw new Error(`${number("errors")} of ${requests} replies of ${target.name} were wrong`);
  return {
    requests: number("requests"),
    perSecond: number("perSecond"),
    cpuMicroseconds: spent / number("requests"),
    p50Microseconds: number("p50Us"),
    p99Microseconds: number("p99Us"),
  };
}
