import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./key-creation.ts", import.meta.url));

export interface KillNineOptions {
  /** How many times a process is killed before it is done. */
  readonly kills: number;
  /** Where state directories are made and removed again. */
  readonly directory: string;
  /** 0 to below 1: when to kill, as a part of the time, or of the file operations, that a whole run takes. */
  readonly random: () => number;
  readonly profile?: "private" | "sdk-simulation";
}

export interface KillNineSummary {
  readonly kills: number;
  /** Kills that came after a key had been handed out. */
  readonly afterKey: number;
  /** Restarts on what a kill left, that had to finish. */
  readonly restarts: number;
  /** What went wrong, one sentence each; empty when all is well. */
  readonly failures: readonly string[];
}

interface Run {
  readonly key: string | undefined;
  readonly done: boolean;
  /** File operations, when it was done. */
  readonly operations: number;
  readonly errors: string;
  /** Milliseconds from "loaded" to the end. */
  readonly milliseconds: number;
}

/** When to kill: milliseconds after the child has loaded its code, or before the file operation that comes after so many. */
type Moment = { readonly milliseconds: number } | { readonly operations: number };

function run(state: string, profile: string, moment?: Moment): Promise<Run> {
  return new Promise((resolve, reject) => {
    const self = moment !== undefined && "operations" in moment ? [String(moment.operations)] : [];
    const child: ChildProcess = spawn(process.execPath, [CHILD, state, profile, ...self], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let errors = "";
    let loaded: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (loaded !== undefined || !output.includes("loaded\n")) return;
      loaded = performance.now();
      if (moment !== undefined && "milliseconds" in moment) {
        timer = setTimeout(() => child.kill("SIGKILL"), moment.milliseconds);
      }
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      const key = /^key ([0-9a-f]{64})$/m.exec(output)?.[1];
      const milliseconds = performance.now() - (loaded ?? performance.now());
      const operations = Number(/^done (\d+)$/m.exec(output)?.[1] ?? Number.NaN);
      resolve({ key, done: !Number.isNaN(operations), operations, errors: errors.trim(), milliseconds });
    });
  });
}

/**
 * Kills a first start with SIGKILL at random moments and starts again on what is left. The moments are random in time
 * and, every other time, among the file operations: by time most of them fall into the making of an RSA key. One state
 * directory in three is killed twice before it may finish. A restart that does not finish, and a key that differs from one handed out before,
 * are failures.
 */
export async function killNine(options: KillNineOptions): Promise<KillNineSummary> {
  const profile = options.profile ?? "private";
  const failures: string[] = [];
  let kills = 0;
  let afterKey = 0;
  let restarts = 0;
  const base = mkdtempSync(join(options.directory, "kill-nine-"));
  try {
    // Twice: the first run also fills the page cache, which no later one has to.
    await run(join(base, "warm"), profile);
    const whole = await run(join(base, "measure"), profile);
    let usual = whole.milliseconds;
    // Some kills come too late. On a machine where most of them do, giving up is better than never ending.
    for (let turn = 0; kills < options.kills && turn < 3 * options.kills; ) {
      const state = join(base, `state-${turn}`);
      const handedOut = new Set<string>();
      for (let attempts = turn % 3 === 0 ? 2 : 1; attempts > 0 && kills < options.kills; attempts--) {
        const byTime = turn++ % 2 === 0;
        const part = options.random();
        const { key, done, milliseconds } = await run(
          state,
          profile,
          byTime ? { milliseconds: part * usual } : { operations: Math.floor(part * whole.operations) },
        );
        if (key !== undefined) handedOut.add(key);
        if (!done) kills++;
        if (!done && key !== undefined) afterKey++;
        // The kill came too late: this is how long a first start takes now.
        if (done && byTime) usual = Math.max(milliseconds, usual / 2);
      }
      const after = await run(state, profile);
      restarts++;
      if (!after.done) failures.push(`restart ${restarts} failed: ${after.errors}`);
      if (after.key !== undefined) handedOut.add(after.key);
      if (handedOut.size > 1)
        failures.push(`restart ${restarts}: one state gave the keys ${[...handedOut].join(", ")}`);
      rmSync(state, { recursive: true, force: true });
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  if (kills < options.kills) failures.push(`only ${kills} of ${options.kills} kills came before the process was done`);
  return { kills, afterKey, restarts, failures };
}

/** One line for people and scripts. */
export function killNineSummaryLine(summary: KillNineSummary): string {
  const { kills, afterKey, restarts, failures } = summary;
  const verdict = failures.length === 0 ? "every restart worked, no key was replaced" : `${failures.length} FAILED`;
  return `kill -9: ${kills} kills, ${afterKey} of them after a key was handed out, ${restarts} restarts: ${verdict}`;
}
