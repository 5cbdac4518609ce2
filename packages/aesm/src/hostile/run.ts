import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { inTemporaryDirectory } from "../testing/served.ts";
import type { CallerReport } from "./caller.ts";
import { killedCallers, manyCallers } from "./later.ts";
import { pause, SCENARIOS } from "./scenarios.ts";

// node packages/aesm/src/hostile/run.ts [--socket PATH --pid PID]
// Runs every hostile input against a quote helper (its own, with two workers and a platform without keys, if none is
// named) while an ordinary application calls it, and prints what each got, what the application saw, and the memory.

const WIDTHS = [40, 66, 6, 6, 7, 7];

const { values } = parseArgs({ options: { socket: { type: "string" }, pid: { type: "string" } } });

if (values.socket !== undefined && values.pid !== undefined) await attack(values.socket, Number(values.pid));
else {
  await inTemporaryDirectory(async (directory) => {
    const path = join(directory, "aesm.socket");
    const target = spawn(process.execPath, [fileURLToPath(new URL("target.ts", import.meta.url)), path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => target.stdout.once("data", resolve));
    try {
      await attack(path, target.pid as number);
    } finally {
      target.kill();
    }
  });
}

async function attack(path: string, pid: number): Promise<void> {
  const caller = new Worker(new URL("caller.ts", import.meta.url), { workerData: path });
  const report = (): Promise<CallerReport> =>
    new Promise((resolve) => {
      caller.once("message", resolve);
      caller.postMessage("report");
    });
  await pause(4_000);
  await report();
  await pause(4_000);
  const quiet = await report();
  const before = residentMegabytes(pid);
  let worst = 1;
  let failures = 0;
  const rows = [["input", "what it got", "calls", "failed", "p99 us", "x quiet", "RSS MB"]];
  rows.push([
    "(quiet)",
    "",
    String(quiet.calls),
    String(quiet.failures.length),
    String(quiet.p99),
    "1.0",
    before.toFixed(1),
  ]);
  for (const scenario of SCENARIOS) {
    await report();
    const got = await scenario.run(path);
    // Short ones need company to have a percentile at all.
    await pause(1_500);
    const during = await report();
    const ratio = during.p99 / quiet.p99;
    worst = Math.max(worst, ratio);
    failures += during.failures.length;
    const memory = residentMegabytes(pid).toFixed(1);
    const { calls } = during;
    rows.push([
      scenario.name,
      got,
      String(calls),
      String(during.failures.length),
      String(during.p99),
      ratio.toFixed(1),
      memory,
    ]);
  }
  await caller.terminate();
  rows.push(["200 callers at once, 50 ms platform", await manyCallers()]);
  rows.push(["40 killed callers, 50 ms platform", await killedCallers()]);
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 8))
        .join("  ")
        .trimEnd(),
    );
  const grown = residentMegabytes(pid) - before;
  console.log(
    `failed normal calls ${failures}, worst p99 ${worst.toFixed(1)} x quiet, RSS ${grown.toFixed(1)} MB more`,
  );
  process.exitCode = failures === 0 && worst <= 10 && grown <= 20 ? 0 : 1;
}

function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? 0) / 1024;
}
