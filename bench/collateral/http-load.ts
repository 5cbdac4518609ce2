import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Measurement } from "../load.ts";
import { cpuMicroseconds, mainThreadMicroseconds } from "../process-usage.ts";

export interface HttpTarget {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

export interface HttpMeasurement extends Measurement {
  /** Of the thread that answers alone: what an import costs its own thread is not in it. */
  readonly mainThreadMicroseconds: number;
}

/** Runs the load generator once on a file of request targets. One answer that is not a whole 200 fails the benchmark. */
export async function runHttpLoad(
  program: string,
  { name, port, pid }: HttpTarget,
  targets: string,
  clients: number,
  requests: number,
): Promise<HttpMeasurement> {
  const [cpu, mainThread] = [cpuMicroseconds([pid]), mainThreadMicroseconds(pid)];
  const child = spawn(program, [`${port}`, targets, `${clients}`, `${requests}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => complaints.push(chunk));
  const [status] = await once(child, "close");
  const spent = { cpu: cpuMicroseconds([pid]) - cpu, mainThread: mainThreadMicroseconds(pid) - mainThread };
  if (status !== 0) throw new Error(`load on ${name} ended with ${status}: ${Buffer.concat(complaints)}`);
  const seen = JSON.parse(Buffer.concat(output).toString("utf8")) as Record<string, unknown>;
  const number = (key: string): number => {
    const value = seen[key];
    if (typeof value !== "number") throw new Error(`the load generator reported no ${key}`);
    return value;
  };
  if (number("errors") !== 0) throw new Error(`${number("errors")} of ${requests} answers of ${name} were no 200`);
  return {
    requests: number("requests"),
    perSecond: number("perSecond"),
    cpuMicroseconds: spent.cpu / number("requests"),
    mainThreadMicroseconds: spent.mainThread / number("requests"),
    p50Microseconds: number("p50Us"),
    p99Microseconds: number("p99Us"),
  };
}
