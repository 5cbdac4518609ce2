import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createConnection } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

const running = new Set<ServerProcess>();

/** A server under measurement: one of ours, started and stopped here. */
export class ServerProcess {
  readonly name: string;
  readonly socketPath: string;
  readonly spawnedAt: number;
  readonly #child: ChildProcess;
  readonly #output: Buffer[] = [];
  #stopping = false;

  /** `log`: a file descriptor that takes standard error instead of the output kept here. */
  constructor(
    name: string,
    socketPath: string,
    argv: readonly string[],
    environment: NodeJS.ProcessEnv,
    log: number | "pipe" = "pipe",
  ) {
    const [command = "", ...rest] = argv;
    if (socketPath !== "") rmSync(socketPath, { force: true });
    this.name = name;
    this.socketPath = socketPath;
    this.spawnedAt = performance.now();
    this.#child = spawn(command, rest, { stdio: ["ignore", "pipe", log], env: environment });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        // Enough to tell why it failed; a server that talks a lot must not fill our memory.
        if (this.#output.length < 200) this.#output.push(chunk);
      });
    }
    this.#child.on("error", (error) => this.#output.push(Buffer.from(error.message)));
    running.add(this);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start: ${this.output}`);
    return this.#child.pid;
  }

  get output(): string {
    return Buffer.concat(this.#output).toString("utf8").trim();
  }

  /** Resolves when the socket accepts; fails when the process ends first. */
  async accepting(): Promise<void> {
    const deadline = this.spawnedAt + START_TIMEOUT_MS;
    while (!(await accepts(this.socketPath))) {
      this.assertAlive();
      if (performance.now() > deadline)
        throw new Error(`${this.name} does not accept on ${this.socketPath}: ${this.output}`);
      await delay(1);
    }
  }

  /** What the server has said that matches, within `timeoutMs` from now; fails when the process ends first. */
  async said(pattern: RegExp, timeoutMs: number = START_TIMEOUT_MS): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(this.output)?.[1];
      if (found !== undefined) return found;
      this.assertAlive();
      if (performance.now() > deadline) throw new Error(`${this.name} did not say ${pattern}: ${this.output}`);
      await delay(1);
    }
  }

  assertAlive(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null && this.#child.pid !== undefined) return;
    throw new Error(`${this.name} ended (${signalCode ?? exitCode}): ${this.output}`);
  }

  /** SIGTERM, then SIGKILL. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    running.delete(this);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  killNow(): void {
    this.#child.kill("SIGKILL");
  }
}

/** Ends every server still running, at once: for the ways out of the program that cannot wait. */
export function killRunningServers(): void {
  for (const server of running) server.killNow();
}

export async function stopRunningServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
