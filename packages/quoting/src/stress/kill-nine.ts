import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./key-creation.ts", import.meta.url));

export interface KillNineOptions {
  /** Kills, each followed by a restart that must work. */
  readonly rounds: number;
  /** Where state directories are made and removed again. */
  readonly directory: string;
  /** 0 to below 1: when to kill, as a part of the time a whole run takes. */
  readonly random: () => number;
  readonly profile?: "private" | "sdk-simulation";
}

export interface KillNineSummary {
  readonly rounds: number;
  /** Kills that came before the process was done. */
  readonly killed: number;
  /** Kills that came after a key had been handed out. */
  readonly afterKey: number;
  /** What went wrong, one sentence each; empty when all is well. */
  readonly failures: readonly string[];
}

interface Run {
  readonly key: string | undefined;
  readonly done: boolean;
  readonly errors: string;
  /** Milliseconds from "loaded" to the end. */
  readonly milliseconds: number;
}

/** Runs the child; kills it `killAfter` milliseconds after it has loaded its code, if given. */
function run(state: string, profile: string, killAfter?: number): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [CHILD, state, profile], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    let loaded: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (loaded !== undefined || !output.includes("loaded\n")) return;
      loaded = performance.now();
      if (killAfter !== undefined) timer = setTimeout(() => child.kill("SIGKILL"), killAfter);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      const key = /^key ([0-9a-f]{64})$/m.exec(output)?.[1];
      const milliseconds = performance.now() - (loaded ?? performance.now());
      resolve({ key, done: /^done$/m.test(output), errors: errors.trim(), milliseconds });
    });
  });
}

/**
 * Kills a first start with SIGKILL at random moments and starts again on what is left. Every second state directory is
 * killed twice before it may finish. A restart that does not finish, and a key that differs from one handed out before,
 * are failures.
 */
export async function killNine(options: KillNineOptions): Promise<KillNineSummary> {
  const profile = options.profile ?? "private";
  const failures: string[] = [];
  let killed = 0;
  let afterKey = 0;
  const base = mkdtempSync(join(options.directory, "kill-nine-"));
  try {
    // Twice: the first run also fills the page cache, which no later one has to.
    await run(join(base, "warm"), profile);
    let usual = (await run(join(base, "measure"), profile)).milliseconds;
    for (let round = 0; round < options.rounds; ) {
      const state = join(base, `state-${round}`);
      const handedOut = new Set<string>();
      for (
        const attempts = round % 4 < 2 ? 1 : 2, last = round + attempts;
        round < last && round < options.rounds;
        round++
      ) {
        const { key, done, milliseconds } = await run(state, profile, options.random() * usual);
        if (!done) killed++;
        if (key !== undefined) handedOut.add(key);
        if (key !== undefined && !done) afterKey++;
        // The kill came too late: this is how long a first start takes now.
        if (done && attempts === 1) usual = milliseconds;
      }
      const after = await run(state, profile);
      if (!after.done) failures.push(`before round ${round}: the restart failed: ${after.errors}`);
      if (after.key !== undefined) handedOut.add(after.key);
      if (handedOut.size > 1) failures.push(`before round ${round}: keys ${[...handedOut].join(", ")} on one state`);
      rmSync(state, { recursive: true, force: true });
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  return { rounds: options.rounds, killed, afterKey, failures };
}

/** One line for people and scripts. */
export function killNineSummaryLine(summary: KillNineSummary): string {
  const { rounds, killed, afterKey, failures } = summary;
  const verdict = failures.length === 0 ? "every restart worked, no key was replaced" : `${failures.length} FAILED`;
  return `kill -9: ${rounds} rounds, ${killed} killed in time, ${afterKey} of them after a key was handed out: ${verdict}`;
}
