import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** What the token file holds; never to be seen anywhere. */
export const TOKEN = "secret-token-of-the-pod";

const SHORT_TIMES = [
  "--poll-interval=100ms",
  "--propagation-time=500ms",
  "--retention-time=2s",
  "--drain-time=300ms",
  "--log-level=trace",
];

export interface WebhookStatus {
  readonly ready: { readonly ok: boolean; readonly why: string };
  readonly authority: {
    readonly current: { readonly serialNumber: string } | null;
    readonly next: object | null;
    readonly previous: readonly object[];
  };
  readonly serving: { readonly authoritySerialNumber: string } | null;
  readonly caBundle: { readonly inSync: boolean };
  readonly admissions: {
    readonly results: readonly { readonly path: string; readonly result: string; readonly count: number }[];
    readonly p99Ms: number | null;
  };
  readonly problems: readonly { readonly code: string }[];
}

/** `confcom webhook` as a process of its own, with times short enough for a test. */
export class WebhookProcess {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #ended: Promise<number | null>;
  #text = "";
  #listening: { readonly webhook: string; readonly status: string } | undefined;

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#directory = directory;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data) => {
        this.#text += data;
      });
    }
    this.#ended = new Promise((resolve) => child.on("close", (status) => resolve(status)));
  }

  static launch(apiServer: URL | string, options: readonly string[] = []): WebhookProcess {
    const directory = mkdtempSync(join(tmpdir(), "confcom-webhook-"));
    const file = (name: string, content: string) => {
      writeFileSync(join(directory, name), content);
      return join(directory, name);
    };
    const { KUBERNETES_SERVICE_HOST: _host, ...inherited } = process.env;
    const child = spawn(
      process.execPath,
      [
        MAIN,
        "webhook",
        "--json",
        "--listen=127.0.0.1:0",
        "--health-listen=127.0.0.1:0",
        `--api-server=${String(apiServer)}`,
        `--token-file=${file("token", TOKEN)}`,
        `--ca-file=${file("ca.crt", "")}`,
        ...SHORT_TIMES,
        ...options,
      ],
      { env: { ...inherited, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] },
    );
    return new WebhookProcess(child, directory);
  }

  /** Started, and listening. */
  static async start(apiServer: URL | string, options: readonly string[] = []): Promise<WebhookProcess> {
    const process = WebhookProcess.launch(apiServer, options);
    await waitFor("the ready line", async () => process.#text.includes("\n"));
    const line = process.#text.split("\n").find((text) => text.startsWith('{"ready"'));
    if (line === undefined) throw new Error(process.#text);
    process.#listening = JSON.parse(line) as { webhook: string; status: string };
    return process;
  }

  /** Everything that it printed. */
  get text(): string {
    return this.#text;
  }

  get port(): number {
    return Number(new URL(this.#listening?.webhook ?? "").port);
  }

  async get(path: "/readyz" | "/healthz" | "/metrics"): Promise<Response> {
    return fetch(new URL(path, this.#listening?.status));
  }

  async status(): Promise<WebhookStatus> {
    return (await (await fetch(this.#listening?.status ?? "")).json()) as WebhookStatus;
  }

  async untilReady(): Promise<void> {
    await waitFor("ready", async () => (await this.get("/readyz")).status === 200);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit status. */
  async ended(): Promise<number | null> {
    const status = await this.#ended;
    rmSync(this.#directory, { recursive: true, force: true });
    return status;
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
  }
}

/** Looks 20 times a second, for at most 30 s. */
export async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 600; round++) {
    if (await holds()) return;
    await delay(50);
  }
  throw new Error(`never came: ${what}`);
}
