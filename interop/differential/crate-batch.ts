import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { COLLATERAL_FIELDS, type Collateral, toHex } from "@confcom/sgx";
import type { Base, Subject } from "@confcom/verify/testing";
import { rustPeers } from "../foreign-peers.ts";
import { start } from "../program.ts";

/** What the crate says to one question. */
export interface CrateAnswer {
  readonly accepted?: boolean;
  readonly status?: string;
  readonly advisoryIds?: readonly string[];
  readonly error?: string;
  readonly panicked?: string;
}

/** The crate dcap-qvl in one process that answers many questions. */
export class CrateBatch {
  readonly #child: ChildProcess;
  readonly #bases = new Map<Collateral, number>();
  readonly #waiting: ((answer: CrateAnswer) => void)[] = [];
  readonly #ended: Promise<never>;

  private constructor(program: string) {
    this.#child = start(program, []);
    if (this.#child.stdout === null) throw new Error("qvl-batch has no standard output");
    // Not readline, which also breaks lines at characters that JSON allows in its strings.
    let rest = "";
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#waiting.shift()?.(JSON.parse(line) as CrateAnswer);
    });
    let said = "";
    this.#child.stderr?.on("data", (text: Buffer) => {
      said += text.toString("utf8");
    });
    this.#child.stdin?.on("error", () => undefined);
    this.#ended = once(this.#child, "exit").then(() => Promise.reject(new Error(`qvl-batch ended: ${said}`)));
    this.#ended.catch(() => undefined);
  }

  static async start(): Promise<CrateBatch> {
    return new CrateBatch((await rustPeers()).qvlBatch);
  }

  /** Writes one line; resolves when there is room for the next. */
  async #write(value: unknown): Promise<void> {
    const { stdin } = this.#child;
    if (stdin?.write(`${JSON.stringify(value)}\n`) === false) await Promise.race([once(stdin, "drain"), this.#ended]);
  }

  async #baseNumber({ collateral }: Subject): Promise<number> {
    const known = this.#bases.get(collateral);
    if (known !== undefined) return known;
    const number = this.#bases.size;
    this.#bases.set(collateral, number);
    await this.#write({ base: collateral });
    return number;
  }

  /** Asks about a subject that differs from its base in some fields. The answer comes later: ask on meanwhile. */
  async ask(subject: Subject, base: Base): Promise<{ readonly answer: Promise<CrateAnswer> }> {
    const number = await this.#baseNumber(base.subject);
    const changed = COLLATERAL_FIELDS.filter((name) => subject.collateral[name] !== base.subject.collateral[name]);
    const answer = new Promise<CrateAnswer>((resolve) => this.#waiting.push(resolve));
    await this.#write({
      ask: number,
      quote: toHex(subject.quote),
      root: toHex(subject.rootCertificate),
      now: subject.now.getTime() / 1000,
      set: Object.fromEntries(changed.map((name) => [name, subject.collateral[name]])),
    });
    return { answer: Promise.race([answer, this.#ended]) };
  }

  close(): void {
    this.#child.stdin?.end();
    this.#child.kill("SIGTERM");
  }
}
