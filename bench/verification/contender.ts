// One verifier in a process of its own: a line "WORKLOAD INPUT COUNT" in, a line "CPU_US ELAPSED_US" of one operation out.
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { readInputs } from "./inputs.ts";
import { type ContenderName, type Work, type Workload, work } from "./work.ts";

const contender = process.argv[2] as ContenderName;
const inputs = readInputs();
const works = new Map<string, Work>();

function workOf(workload: Workload, index: number): Work {
  const name = `${workload} ${index}`;
  const known = works.get(name);
  if (known !== undefined) return known;
  const input = inputs[index];
  if (input === undefined) throw new Error(`there is no input ${index}`);
  const made = work(contender, workload, input);
  works.set(name, made);
  return made;
}

process.stdout.write(`ready ${process.version}, OpenSSL ${process.versions.openssl}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [workload, index, countText] = line.split(" ") as [Workload, string, string];
  const once = workOf(workload, Number(index));
  const count = Number(countText);
  const cpu = process.cpuUsage();
  const begun = performance.now();
  for (let i = 0; i < count; i++) once();
  const elapsed = (performance.now() - begun) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(`${(user + system) / count} ${elapsed / count}\n`);
}
