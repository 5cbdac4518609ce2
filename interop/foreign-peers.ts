import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Collateral } from "@confcom/sgx";
import { QuoteVerifier } from "@phala/dcap-qvl";
import type { Places } from "./confcom.ts";
import { lastWords, run, start } from "./program.ts";
import { pemToDer } from "./quote-parts.ts";

/** One verifier's answer. `status` is Intel's TCB status name. */
export interface Verdict {
  readonly accepted: boolean;
  readonly status?: string;
  readonly advisoryIds?: readonly string[];
  readonly error?: string;
}

export interface VerifierQuestion {
  readonly quote: Uint8Array;
  readonly collateral: Collateral;
  /** The only root to trust, PEM; undefined asks under the root built into the verifier, which is Intel's. */
  readonly rootPem: string | undefined;
  readonly now: Date;
  readonly allowDebug?: boolean;
}

const WORKSPACE = fileURLToPath(new URL("rust/", import.meta.url));
const CARGO_WAY_OUT = "install Rust 1.88 or newer (rustup, or on Debian 12: apt-get install cargo-web rustc-web)";

export interface RustPeers {
  readonly aesmFlow: string;
  readonly qvlVerify: string;
  readonly qvlBatch: string;
  readonly collateralClients: string;
}

let built: Promise<RustPeers> | undefined;

/** Builds the Rust peers once per run; `CARGO_TARGET_DIR` says where, if set. */
export function rustPeers(): Promise<RustPeers> {
  built ??= build();
  return built;
}

async function build(): Promise<RustPeers> {
  // The client's build script compiles its protocol file with protoc; without it cargo fails in a page of backtrace.
  await run("protoc", ["--version"], {
    wayOut: "apt-get install protobuf-compiler (aesm-client's build script runs it)",
  });
  const args = ["build", "--locked", "--message-format=json"];
  const result = await run("cargo", args, { cwd: WORKSPACE, wayOut: CARGO_WAY_OUT });
  if (result.status !== 0) throw new Error(`cargo build: ${lastWords(result)}`);
  const programs = new Map<string, string>();
  for (const line of result.stdout.toString("utf8").split("\n")) {
    if (!line.startsWith("{")) continue;
    const message = JSON.parse(line) as { target?: { name: string }; executable?: string | null };
    if (message.executable != null && message.target !== undefined)
      programs.set(message.target.name, message.executable);
  }
  const made = (name: string): string => {
    const program = programs.get(name);
    if (program === undefined) throw new Error(`cargo build did not make ${name}`);
    return program;
  };
  return {
    aesmFlow: made("aesm-flow"),
    qvlVerify: made("qvl-verify"),
    qvlBatch: made("qvl-batch"),
    collateralClients: made("collateral-clients"),
  };
}

/** The npm package @phala/dcap-qvl. */
export async function verifyWithNpm(question: VerifierQuestion): Promise<Verdict> {
  const { quote, collateral, rootPem, now } = question;
  const verifier = rootPem === undefined ? QuoteVerifier.newProd() : QuoteVerifier.newWithRootCa(pemToDer(rootPem));
  try {
    const report = verifier.verify(quote, collateral, Math.floor(now.getTime() / 1000));
    return { accepted: true, status: report.status, advisoryIds: report.advisory_ids };
  } catch (error) {
    return { accepted: false, error: error instanceof Error ? error.message : String(error) };
  }
}

/** The crate dcap-qvl, with either of its cryptographic back ends. */
export async function verifyWithCrate(
  question: VerifierQuestion,
  places: Places,
  backend: "ring" | "rustcrypto" = "ring",
): Promise<Verdict> {
  const { qvlVerify } = await rustPeers();
  const args = ["--quote", places.file("quote.bin", question.quote)];
  args.push("--collateral", places.file("collateral.json", JSON.stringify(question.collateral)));
  args.push("--root", question.rootPem === undefined ? "intel" : places.file("root.pem", question.rootPem));
  args.push("--now", String(Math.floor(question.now.getTime() / 1000)), "--backend", backend);
  if (question.allowDebug === true) args.push("--allow-debug");
  const result = await run(qvlVerify, args);
  if (result.status !== 0) throw new Error(`qvl-verify: ${lastWords(result)}`);
  return JSON.parse(result.stdout.toString("utf8")) as Verdict;
}

export interface FlowAnswer {
  readonly ok: boolean;
  readonly error?: string;
  readonly keyIds?: readonly string[];
  readonly targetInfo?: string;
  readonly pubKeyId?: string;
  readonly quote?: string;
  readonly qeReport?: string;
}

/** Fortanix's AESM client in a process of its own. */
export class FortanixClient {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<never>;

  private constructor(aesmFlow: string, socket: string) {
    this.#child = start(aesmFlow, [socket]);
    if (this.#child.stdout === null) throw new Error("aesm-flow has no standard output");
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#ended = once(this.#child, "exit").then(() => Promise.reject(new Error("aesm-flow ended before its answer")));
    this.#ended.catch(() => undefined);
  }

  static async connect(socket: string): Promise<FortanixClient> {
    return new FortanixClient((await rustPeers()).aesmFlow, socket);
  }

  /** Sends one command and waits for its answer; one at a time. */
  async ask(command: Record<string, string>): Promise<FlowAnswer> {
    const answer = once(this.#lines, "line") as Promise<[string]>;
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    return JSON.parse((await Promise.race([answer, this.#ended]))[0]) as FlowAnswer;
  }

  /** Like {@link ask}; throws what the client reported when it failed. */
  async expect(command: Record<string, string>): Promise<FlowAnswer> {
    const answer = await this.ask(command);
    if (!answer.ok) throw new Error(`Fortanix's client, ${command.do}: ${answer.error}`);
    return answer;
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
