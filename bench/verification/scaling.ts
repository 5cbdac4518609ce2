import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { median } from "../statistics.ts";

export interface Scaling {
  /** Verifications a second by the clock, with one worker and with two. */
  readonly onePerSecond: number;
  readonly twoPerSecond: number;
  readonly clockFactor: number;
  /** The same with the time taken out in which a worker was ready and other processes had its core. */
  readonly factor: number;
}

interface Counted {
  readonly count: number;
  readonly elapsed: number;
  readonly waited: number;
}

/** Warm verification of the SGX quote in worker threads: one, then two, in turn, round after round. */
export async function measureScaling(
  rounds: number,
  milliseconds: number,
  progress: (line: string) => void,
): Promise<Scaling> {
  const workers = await Promise.all([start(), start()]);
  const ones: Rate[] = [];
  const twos: Rate[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Each core has its speed: the one worker is now this, now that.
    const one = await rate([workers[round % 2] as SharedWorker], milliseconds);
    const two = await rate(workers, milliseconds);
    ones.push(one);
    twos.push(two);
    progress(
      `scaling, round ${round}/${rounds}: ${one.clock.toFixed(0)} and ${two.clock.toFixed(0)} a second, ` +
        `${(two.own / one.own).toFixed(2)} times without waiting for a core`,
    );
  }
  for (const { phase, worker } of workers) {
    const ended = once(worker, "exit");
    set(phase, 2);
    await ended;
  }
  const factors = (kind: keyof Rate) => median(twos.map((two, i) => two[kind] / (ones[i]?.[kind] ?? Number.NaN)));
  return {
    onePerSecond: median(ones.map(({ clock }) => clock)),
    twoPerSecond: median(twos.map(({ clock }) => clock)),
    clockFactor: factors("clock"),
    factor: factors("own"),
  };
}

interface SharedWorker {
  readonly worker: Worker;
  readonly phase: Int32Array;
}

async function start(): Promise<SharedWorker> {
  const phase = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./scaling-worker.ts", import.meta.url), { workerData: { phase } });
  await once(worker, "message");
  return { worker, phase };
}

function set(phase: Int32Array, value: number): void {
  Atomics.store(phase, 0, value);
  Atomics.notify(phase, 0);
}

interface Rate {
  readonly clock: number;
  readonly own: number;
}

async function rate(workers: readonly SharedWorker[], milliseconds: number): Promise<Rate> {
  const counted = workers.map(({ worker }) => once(worker, "message") as Promise<[Counted]>);
  for (const { phase } of workers) set(phase, 1);
  await sleep(milliseconds);
  for (const { phase } of workers) set(phase, 0);
  let [clock, own] = [0, 0];
  for (const [{ count, elapsed, waited }] of await Promise.all(counted)) {
    clock += count / elapsed;
    own += count / (elapsed - waited);
  }
  return { clock, own };
}
