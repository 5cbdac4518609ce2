import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { BesideOptions, Cluster } from "./cluster/cluster.ts";
import { Product } from "./product.ts";

interface Call {
  readonly argv: readonly string[];
  readonly options: BesideOptions;
}

/** A cluster that runs nothing and says what it was asked to run. */
function product(): { readonly product: Product; readonly calls: Call[] } {
  const calls: Call[] = [];
  const cluster = {
    async runBeside(argv: readonly string[], options: BesideOptions) {
      calls.push({ argv, options });
      return { stdout: "", stderr: "no", status: 3 };
    },
  } as unknown as Cluster;
  return { product: new Product(cluster), calls };
}

test("a command that fails is a result, not an exception", async () => {
  const { product: confcom, calls } = product();
  const { status } = await confcom.run(["addon", "show"], { input: "x" });
  assert.equal(status, 3);
  assert.deepEqual(calls[0]?.argv.slice(-2), ["addon", "show"]);
  assert.equal(calls[0]?.options.allowFailure, true);
  assert.equal(calls[0]?.options.input, "x");
  confcom.close();
});

test("as a plugin it is found by kubectl on PATH under the name kubectl-confcom", async () => {
  const { product: confcom, calls } = product();
  await confcom.runAsPlugin(["addon", "list"]);
  assert.deepEqual(calls[0]?.argv, ["kubectl", "confcom", "addon", "list"]);
  const plugin = join(calls[0]?.options.env?.PATH ?? "", "kubectl-confcom");
  assert.equal(statSync(plugin).isFile(), true);
  confcom.close();
  assert.equal(existsSync(plugin), false);
});

test("files for options are their owner's alone, each is another, and all go at the end", () => {
  const { product: confcom } = product();
  const [one, other] = [confcom.file("a: 1\n"), confcom.file("a: 2\n")];
  assert.notEqual(one, other);
  assert.equal(readFileSync(other, "utf8"), "a: 2\n");
  assert.equal(statSync(one).mode & 0o077, 0);
  confcom.close();
  assert.equal(existsSync(one), false);
});
