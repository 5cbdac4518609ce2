import type { ChildProcess } from "node:child_process";
import { Agent, type IncomingMessage, request } from "node:http";
import { fileURLToPath } from "node:url";
import { start } from "../program.ts";

const COMMAND = fileURLToPath(new URL("../../packages/cli/bin/confcom.mjs", import.meta.url));
const READY_DEADLINE = 60_000;
const ANSWER_DEADLINE = 60_000;

export interface Answer {
  /** 0: no answer came, the connection ended or was refused. */
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: number;
  readonly body: string;
}

export interface Request {
  readonly method?: string;
  /** Beneath `/sgx/certification/v4/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `confcom pccs` in a process of its own, and keep-alive connections to it. */
export class Replica {
  readonly name: string;
  readonly process: ChildProcess;
  /** What it logged, lines. */
  readonly log: string[] = [];
  readonly exited: Promise<string>;
  #base = "";
  readonly #agent: Agent;

  constructor(name: string, args: readonly string[], connections: number) {
    this.name = name;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
    this.process = start(process.execPath, [COMMAND, "pccs", ...args, "--json"]);
    this.exited = new Promise((resolve) => {
      this.process.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    let rest = "";
    this.process.stderr?.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      this.log.push(...lines);
      if (this.log.length > 20_000) this.log.splice(0, 10_000);
    });
  }

  /** Resolves when it says that it is ready. */
  async ready(): Promise<void> {
    const line = new Promise<string>((resolve) => {
      let said = "";
      this.process.stdout?.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
        const end = said.indexOf("\n");
        if (end >= 0) resolve(said.slice(0, end));
      });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve("no ready line in 60 s"), READY_DEADLINE);
    });
    const said = await Promise.race([line, this.exited, late]).finally(() => clearTimeout(timer));
    if (!said.startsWith("{")) throw new Error(`replica ${this.name}: ${said}: ${this.log.slice(-3).join(" | ")}`);
    const { url } = JSON.parse(said) as { url: string };
    this.#base = `${new URL(url).origin}/sgx/certification/v4/`;
  }

  /** One request. Never rejects: what becomes of it is what the checks count. */
  ask({ method = "GET", path, headers = {}, body }: Request): Promise<Answer> {
    return new Promise((resolve) => {
      const failed = (error: Error) => resolve({ status: 0, retryAfter: 0, body: error.message });
      const outgoing = request(`${this.#base}${path}`, { method, headers, agent: this.#agent }, (incoming) => {
        readAll(incoming).then(
          (text) =>
            resolve({
              status: incoming.statusCode ?? 0,
              retryAfter: Number(incoming.headers["retry-after"] ?? 0),
              body: text,
            }),
          failed,
        );
      });
      outgoing.setTimeout(ANSWER_DEADLINE, () => outgoing.destroy(new Error("no answer in 60 s")));
      outgoing.on("error", failed);
      outgoing.end(body);
    });
  }

  /** SIGKILL: nothing is given back, nothing is said. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
    this.#agent.destroy();
  }

  /** SIGTERM; throws unless it drains and leaves with exit code 0. */
  async stop(): Promise<void> {
    // A connection without a request is the server's to close: it would be waited for otherwise.
    this.process.kill("SIGTERM");
    const end = await this.exited;
    this.#agent.destroy();
    if (end !== "exit code 0")
      throw new Error(`replica ${this.name} left with ${end}: ${this.log.slice(-3).join(" | ")}`);
  }
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
