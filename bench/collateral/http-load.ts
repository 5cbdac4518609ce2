import { loadReport, type Measurement } from "../load.ts";
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
  const reported = await loadReport(program, [`${port}`, targets, `${clients}`, `${requests}`], name);
  const spent = { cpu: cpuMicroseconds([pid]) - cpu, mainThread: mainThreadMicroseconds(pid) - mainThread };
  return {
    requests: reported("requests"),
    perSecond: reported("perSecond"),
    cpuMicroseconds: spent.cpu / reported("requests"),
    mainThreadMicroseconds: spent.mainThread / reported("requests"),
    p50Microseconds: reported("p50Us"),
    p99Microseconds: reported("p99Us"),
  };
}
