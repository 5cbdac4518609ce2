import type { ChildProcess } from "node:child_process";
import { expect } from "../check.ts";
import type { Finished } from "./cluster/cluster.ts";
import type { CommandOptions, Product } from "./product.ts";

/** Milliseconds for `confcom addon enable` and `update`, which wait for pods of every kind on every node. */
const CHANGING = 240_000;

/** `confcom` run as the cluster's administrator, with a memory of what the add-on was last enabled with. */
export class AddonByCommand {
  readonly #product: Product;
  readonly #log: (line: string) => void;
  /** As JSON; undefined when it is not enabled or nobody knows. */
  #enabled: string | undefined;

  constructor(product: Product, log: (line: string) => void) {
    this.#product = product;
    this.#log = log;
  }

  /** Whatever status it ends with is in the result. */
  run(args: readonly string[], options?: CommandOptions): Promise<Finished> {
    this.#notice(args);
    return this.#product.run(args, options);
  }

  spawn(args: readonly string[], options?: Pick<CommandOptions, "env">): ChildProcess {
    this.#notice(args);
    return this.#product.spawn(args, options);
  }

  runAsPlugin(args: readonly string[], options?: CommandOptions): Promise<Finished> {
    this.#notice(args);
    return this.#product.runAsPlugin(args, options);
  }

  /**
   * Enables or updates the add-on with the quote helper and the values of a file, and waits for it; nothing is done when
   * `wanted` is what it was last enabled with.
   */
  async enable(wanted: string, valuesFile: () => string): Promise<void> {
    if (this.#enabled === wanted) return;
    const began = performance.now();
    const show = await this.run(["addon", "show", "--addon", "confcom"]);
    const verb = show.status === 0 ? "update" : "enable";
    await this.#change([verb, "--enable-sgxquotehelper", "--reset-values", "--values", valuesFile()]);
    this.#enabled = wanted;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    this.#log(`addon ${verb} with ${wanted}: ready after ${seconds} s`);
  }

  /** Disables it, whatever holds its resources, and whether or not it is there. */
  disable(): Promise<void> {
    return this.#change(["disable", "--force", "--yes", "--no-wait"], /is not installed/);
  }

  /** The next `enable` begins anew. */
  forget(): void {
    this.#enabled = undefined;
  }

  async #change([verb = "", ...flags]: readonly string[], allowed?: RegExp): Promise<void> {
    const args = ["addon", verb, "--addon", "confcom", ...flags];
    const { status, stdout, stderr } = await this.run(args, { timeoutMs: CHANGING });
    const said = `${stderr}${stdout}`.trim();
    const done = status === 0 || allowed?.test(said) === true;
    expect(done, `confcom addon ${verb}: exit ${status}: ${said.slice(-2000)}`);
  }

  /** A check that changes the add-on by itself leaves the next one to begin anew. */
  #notice([command = "", verb = ""]: readonly string[]): void {
    if (/addon/.test(command) && /^(enable|disable|update)/.test(command === "addon" ? verb : command)) this.forget();
  }
}
