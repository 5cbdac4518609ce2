import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BesideOptions, Cluster, Finished } from "./cluster/cluster.ts";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/", import.meta.url));

export type CommandOptions = Omit<BesideOptions, "allowFailure">;

/** The `confcom` command as the cluster's administrator runs it: this machine's files, the cluster's network, the admin kubeconfig. */
export class Product {
  readonly #cluster: Cluster;
  readonly #directory = mkdtempSync(join(tmpdir(), "confcom-product-"));
  #files = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const own = join(BIN, "kubectl-confcom.mjs");
    symlinkSync(existsSync(own) ? own : join(BIN, "confcom.mjs"), join(this.#directory, "kubectl-confcom"));
  }

  /** Whatever status it ends with; throws a `ClusterError` TIMEOUT when it does not end in `timeoutMs` (default 120,000). */
  run(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
    return this.#cluster.runBeside(commandLine(args), { timeoutMs: 120_000, ...options, allowFailure: true });
  }

  /** For those that are to be killed or never end: `kill` reaches the command itself. */
  spawn(args: readonly string[], options: Pick<CommandOptions, "env"> = {}): ChildProcess {
    return this.#cluster.spawnBeside(commandLine(args), options);
  }

  /** `kubectl confcom ARGS`, as kubectl finds its plugin: by the name of a file on PATH. */
  runAsPlugin(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
    const env = { ...options.env, PATH: this.#directory };
    const run = { timeoutMs: 120_000, ...options, env, allowFailure: true };
    return this.#cluster.runBeside(["kubectl", "confcom", ...args], run);
  }

  /** The path of a new file with this text, for options such as `--values`. */
  file(text: string, extension = "yaml"): string {
    const path = join(this.#directory, `${++this.#files}.${extension}`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function commandLine(args: readonly string[]): readonly string[] {
  return [process.execPath, join(BIN, "confcom.mjs"), ...args];
}
