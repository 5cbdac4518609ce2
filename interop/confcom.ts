import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, runOrThrow, start } from "./program.ts";

const COMMAND = fileURLToPath(new URL("../packages/cli/bin/confcom.mjs", import.meta.url));
/** Generous: a busy machine is no failure. */
const READY_DEADLINE = 60_000;
const EXIT_DEADLINE = 60_000;

export type CpuSvn = "default" | "upgraded" | "downgraded";
export const CPU_SVNS: readonly CpuSvn[] = ["default", "upgraded", "downgraded"];

/** The command under test, in a process of its own, as a user would run it. */
export async function confcom(args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  return runOrThrow(process.execPath, [COMMAND, ...args], input === undefined ? {} : { input });
}

/** Like {@link confcom}, for calls whose failure is the point. */
export async function confcomStatus(
  args: readonly string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await run(process.execPath, [COMMAND, ...args]);
  return { status, stdout: stdout.toString("utf8"), stderr };
}

export interface QuoteHelperOptions {
  readonly socket: string;
  readonly state: string;
  readonly cpu?: "sdk-simulation" | "private";
  readonly cpuSvn?: CpuSvn;
  readonly workers?: number;
  readonly takeover?: boolean;
  /** False keeps every event loop awake, so that a light load is spread over all of them. */
  readonly spareLoops?: boolean;
  /** Registers with this PCCS instead of having a provisioning authority of its own. */
  readonly certifiedBy?: CertifyingService;
}

/** A PCCS as helpers are told of it: its URL, and paths of files. */
export interface CertifyingService {
  readonly url: string;
  readonly root: string;
  readonly userToken: string;
  readonly tlsCa?: string;
}

/** A running daemon of the command. */
export class Daemon {
  readonly name: string;
  readonly process: ChildProcess;
  /** The last of what it logged and printed, oldest first. */
  readonly said: string[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.process = process;
    this.exited = new Promise((resolve) => process.once("exit", (code, signal) => resolve({ code, signal })));
  }

  /** Waits for the first line on standard output, and gives it. */
  async ready(): Promise<string> {
    const line = new Promise<string>((resolve) => {
      let text = "";
      this.process.stdout?.on("data", (chunk: Buffer) => {
        this.said.push(chunk.toString("utf8"));
        text += chunk.toString("utf8");
        if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
      });
    });
    this.process.stderr?.on("data", (chunk: Buffer) => {
      this.said.push(chunk.toString("utf8"));
      if (this.said.length > 200) this.said.splice(0, 100);
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), READY_DEADLINE);
    });
    const outcome = await Promise.race([line, this.exited, late]).finally(() => clearTimeout(timer));
    if (typeof outcome === "string" && outcome !== "late") return outcome;
    this.process.kill("SIGKILL");
    const why = typeof outcome === "string" ? "printed no ready line in 60 s" : `ended at start (exit ${outcome.code})`;
    throw new Error(`the ${this.name} ${why}: ${this.said.join("").trim().replaceAll("\n", " | ").slice(-400)}`);
  }

  /** Asks it to end, and throws unless it leaves with exit code 0. */
  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.left("after SIGTERM");
  }

  /** Waits until it has left with exit code 0; `when` completes the message otherwise. */
  async left(when: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the ${this.name} still runs 60 s ${when}`)), EXIT_DEADLINE);
    });
    const { code, signal } = await Promise.race([this.exited, late]).finally(() => clearTimeout(timer));
    if (code !== 0) throw new Error(`the ${this.name} left with ${signal ?? `exit code ${code}`} ${when}`);
  }

  /** The end nobody can prepare for. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

/** A running `confcom quote-helper`. */
export class QuoteHelper extends Daemon {
  readonly socket: string;
  readonly state: string;

  constructor(options: QuoteHelperOptions, process: ChildProcess) {
    super("quote helper", process);
    this.socket = options.socket;
    this.state = options.state;
  }
}

/** Starts a daemon of the command; its ready line is still to come. */
export function startCommand(args: readonly string[]): ChildProcess {
  return start(process.execPath, [COMMAND, ...args]);
}

/**
 * Starts a quote helper and waits for its ready line. `meanwhile` gets the process as soon as it runs, to disturb its
 * start.
 */
export async function startQuoteHelper(
  options: QuoteHelperOptions,
  meanwhile: (process: ChildProcess) => Promise<void> = async () => undefined,
): Promise<QuoteHelper> {
  const args = ["quote-helper", "--socket", options.socket, "--state", options.state];
  args.push("--workers", String(options.workers ?? 2));
  if (options.cpu !== undefined) args.push("--cpu", options.cpu);
  if (options.cpuSvn !== undefined) args.push("--cpusvn", options.cpuSvn);
  if (options.takeover === true) args.push("--takeover");
  if (options.spareLoops === false) {
    writeFileSync(`${options.socket}.json`, JSON.stringify({ spareLoops: false }));
    args.push("--config", `${options.socket}.json`);
  }
  const { certifiedBy } = options;
  if (certifiedBy !== undefined) {
    args.push("--pccs", certifiedBy.url, "--pccs-root", certifiedBy.root);
    args.push("--pccs-user-token-file", certifiedBy.userToken);
    if (certifiedBy.tlsCa !== undefined) args.push("--pccs-ca", certifiedBy.tlsCa);
  }
  const helper = new QuoteHelper(options, startCommand(args));
  void meanwhile(helper.process);
  await helper.ready();
  return helper;
}

export interface ReportOptions {
  readonly targetInfo: Uint8Array;
  readonly reportData?: Uint8Array;
  readonly cpuSvn?: CpuSvn;
  readonly kss?: boolean;
  readonly debug?: boolean;
  /** With a KEYID of its own; otherwise the one that the SDK's simulation always writes. */
  readonly randomKeyId?: boolean;
}

/** `confcom report create`: a 432-byte report of a software enclave, for the enclave that `targetInfo` names. */
export async function createReport(options: ReportOptions): Promise<Uint8Array> {
  const args = ["report", "create", "--target-info", Buffer.from(options.targetInfo).toString("hex"), "--out", "-"];
  if (options.reportData !== undefined) args.push("--report-data", Buffer.from(options.reportData).toString("hex"));
  if (options.cpuSvn !== undefined) args.push("--cpusvn", options.cpuSvn);
  if (options.kss === true) args.push("--kss");
  if (options.debug === true) args.push("--debug");
  if (options.randomKeyId === true) args.push("--key-id", "random");
  const printed = (await confcom(args)).toString("latin1").trim();
  const report = Buffer.from(printed, "hex");
  if (report.length !== 432 || printed.length !== 864)
    throw new Error(`report create printed no report: ${printed.slice(0, 80)}`);
  return report;
}

/** Temporary directories of this run, all under one root that the run removes. */
export class Places {
  readonly root: string;
  #count = 0;

  constructor(parent: string) {
    // A short path: a Unix socket's may have 107 bytes.
    this.root = mkdtempSync(join(parent, "confcom-interop-"));
  }

  /** A fresh state directory's path (not created) and a socket path next to it. */
  fresh(): { state: string; socket: string } {
    const directory = join(this.root, String(this.#count++));
    mkdirSync(directory);
    return { state: join(directory, "state"), socket: join(directory, "aesm.socket") };
  }

  remove(): void {
    // The helper processes of a browser that was just ended may still be writing.
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** Writes bytes to a fresh file and returns its path. */
  file(name: string, bytes: Uint8Array | string): string {
    const path = join(this.root, `${this.#count++}-${name}`);
    writeFileSync(path, bytes);
    return path;
  }
}

/** A file of `fixtures/`. */
export function fixture(path: string): Buffer {
  return readFileSync(new URL(`fixtures/${path}`, import.meta.url));
}
