import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError, messageOf } from "./errors.ts";
import { logTail } from "./log-tail.ts";
import { childrenOf, spawnInMachine, startTime } from "./namespaces.ts";

const STOP_PATIENCE_MS = 20_000;
const START_PATIENCE_MS = 10_000;
const RESTART_AFTER_MS = 1000;

export interface SupervisedProgramOptions {
  readonly service: string;
  readonly argv: readonly string[];
  readonly logFile: string;
  /** First process of the machine that it runs in. */
  readonly init: () => number;
  /** Called whenever the process id changes; 0 when it ended. */
  changed(): void;
  log(line: string): void;
}

/** One program of the cluster inside its machine, started and ended by itself. */
export class SupervisedProgram {
  readonly service: string;
  readonly #options: SupervisedProgramOptions;
  #enterer: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #pid = 0;
  #expectedToEnd = false;
  #restarts = false;

  constructor(options: SupervisedProgramOptions) {
    this.service = options.service;
    this.#options = options;
  }

  /** 0 when it is not running. */
  get pid(): number {
    return this.#pid;
  }

  /** From now on it is started again when it ends by itself. */
  keepRunning(): void {
    this.#restarts = true;
  }

  /** Neither started nor started again any more. */
  abandon(): void {
    this.#restarts = false;
    this.#expectedToEnd = true;
  }

  async start(): Promise<void> {
    if (this.#enterer !== undefined) return;
    const { argv, logFile, init } = this.#options;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, "a");
    this.#expectedToEnd = false;
    const child = spawnInMachine(init(), argv, { stdio: ["ignore", log, log], tied: true });
    closeSync(log);
    this.#enterer = child;
    this.#ended = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", (code, signal) => {
        this.#enterer = undefined;
        this.#pid = 0;
        const how = signal === null ? `status ${code}` : signal;
        if (!this.#expectedToEnd) this.#endedByItself(how);
        this.#options.changed();
        resolve();
      });
    });
    // nsenter forks into the PID namespace: the program is its only child.
    const begun = performance.now();
    while (this.#enterer !== undefined && this.#pid === 0) {
      this.#pid = childrenOf(child.pid ?? 0)[0] ?? 0;
      if (performance.now() - begun > START_PATIENCE_MS) break;
      if (this.#pid === 0) await sleep(5);
    }
    if (this.#pid === 0) this.fail("did not start");
    this.#options.changed();
  }

  /** SIGTERM; SIGKILL when that did not help in 20 s. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async kill9(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const ended = this.#ended;
    this.#expectedToEnd = true;
    this.#signal(signal);
    const patience = new AbortController();
    const late = sleep(STOP_PATIENCE_MS, true, { signal: patience.signal }).catch(() => false);
    if (await Promise.race([ended.then(() => false), late])) {
      this.#options.log(`${this.service} ignored ${signal} for ${STOP_PATIENCE_MS / 1000} s`);
      this.#signal("SIGKILL");
      await ended;
    }
    patience.abort();
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#pid === 0) return;
    try {
      process.kill(this.#pid, signal);
    } catch {
      // It ended in this moment; the exit event says so.
    }
  }

  #endedByItself(how: string): void {
    this.#options.log(`${this.service} ended by itself (${how})`);
    if (!this.#restarts) return;
    setTimeout(() => {
      // Of a machine whose first process is gone nothing can be started again.
      if (this.#expectedToEnd || startTime(this.#options.init()) === undefined) return;
      this.start().catch((error: unknown) => this.#options.log(`${this.service}: ${messageOf(error)}`));
    }, RESTART_AFTER_MS);
  }

  /** The end of its log. */
  lastWords(): string {
    return logTail(this.#options.logFile, 4096);
  }

  fail(what: string): never {
    const { logFile } = this.#options;
    throw new ClusterError("COMPONENT_FAILED", `${this.service} ${what}. The end of ${logFile}:\n${this.lastWords()}`);
  }
}
