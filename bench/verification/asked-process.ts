import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Of one operation. */
export interface Cost {
  readonly cpuMicroseconds: number;
  readonly elapsedMicroseconds: number;
}

/** A process that does so many operations for a line on its standard input, and says what one of them cost. */
export class AskedProcess {
  readonly name: string;
  /** What it said of itself when it was ready. */
  version = "";
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = "";

  private constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error(`${name} has no output`);
    stderr.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString("utf8");
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  static async start(name: string, command: string, args: readonly string[]): Promise<AskedProcess> {
    const started = new AskedProcess(name, command, args);
    started.version = (await started.#line()).replace(/^ready /, "");
    return started;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.name} ended: ${this.#errors.trim()}`);
    return value;
  }

  async ask(question: string): Promise<Cost> {
    this.#child.stdin?.write(`${question}\n`);
    const [cpuMicroseconds, elapsedMicroseconds] = (await this.#line()).split(" ").map(Number);
    if (cpuMicroseconds === undefined || elapsedMicroseconds === undefined || !(cpuMicroseconds > 0)) {
      throw new Error(`${this.name} gave no figures for "${question}"`);
    }
    return { cpuMicroseconds, elapsedMicroseconds };
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    await closed;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
