import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const REAL = fileURLToPath(new URL("../../../../verify/src/fixtures/real/", import.meta.url));

export interface Ran {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a person does. */
export function confcom(...args: readonly string[]): Ran {
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { env, encoding: "utf8" });
  return { status, lines: stdout.split("\n"), out: stdout, err: stderr };
}

/** A directory for one test file, gone when its tests are: the path of a name in it. */
export function scratch(): (name: string) => string {
  const directory = mkdtempSync(join(tmpdir(), "confcom-verify-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return (name) => join(directory, name);
}

/** Arguments that verify a real quote with its collateral at a date. */
function real(quote: string, collateral: string, at: number): readonly string[] {
  const files = [join(REAL, "quotes", quote), "--collateral", join(REAL, "collateral", `${collateral}.json`)];
  return ["verify", ...files, "--at", `${at}`];
}

export const SGX = real("sgx_v3_f8b81014b6e4.bin", "dq_sgx_00a067", 1750416971);
export const TDX = real("tdx_v4_9069d475eda3.bin", "near_tdx_20a06f", 1756885319);
export const TDX_OUT_OF_DATE = real("tdx_v5_67adfc4acd82.bin", "oe_tdx_00806f05_eval21", 1781389161);

/**
 * Makes a software platform's quote (`software.bin`) over this report data, and leaves `state`, `collateral.json` and
 * `root.pem` beside it.
 */
export async function makeSoftwareQuote(path: (name: string) => string, reportData: string): Promise<void> {
  const args = ["quote-helper", "--socket", path("aesm.socket"), "--state", path("state"), "--workers", "1", "--json"];
  const helper = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise((resolve) => helper.stdout.once("data", resolve));
  const steps = [
    ["quote", "--socket", path("aesm.socket"), "--report-data", reportData, "--out", path("software.bin")],
    ["collateral", "export", "--state", path("state"), "--out", path("collateral.json")],
    ["collateral", "export", "--state", path("state"), "--root", "--out", path("root.pem")],
  ];
  const failed = steps.map((step) => confcom(...step)).find(({ status }) => status !== 0);
  helper.kill("SIGTERM");
  await new Promise((resolve) => helper.once("close", resolve));
  if (failed !== undefined) throw new Error(failed.err);
}
