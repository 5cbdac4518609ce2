// One worker of the scaling measurement: warm verifications until told to stop, counted between two shared marks.
import { readFileSync, readlinkSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { readInputs } from "./inputs.ts";
import { work } from "./work.ts";

interface Share {
  /** [0]: 0 wait, 1 run, 2 stop. */
  readonly phase: Int32Array;
}

const { phase } = workerData as Share;
const input = readInputs()[0];
if (input === undefined || parentPort === null) throw new Error("not started as a worker");
const once = work("confcom", "warm", input);
for (let i = 0; i < 2_000; i++) once();

/** Nanoseconds this thread was ready and another had its core; 0 where the kernel does not say. */
function waited(): number {
  try {
    const thread = readlinkSync("/proc/thread-self").split("/").at(-1);
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ")[1]);
  } catch {
    return 0;
  }
}

parentPort.postMessage("ready");
for (;;) {
  Atomics.wait(phase, 0, 0);
  if (Atomics.load(phase, 0) === 2) break;
  const [waitedBefore, begun] = [waited(), process.hrtime.bigint()];
  let count = 0;
  while (Atomics.load(phase, 0) === 1) {
    for (let i = 0; i < 20; i++) once();
    count += 20;
  }
  const elapsed = Number(process.hrtime.bigint() - begun) / 1e9;
  parentPort.postMessage({ count, elapsed, waited: (waited() - waitedBefore) / 1e9 });
}
