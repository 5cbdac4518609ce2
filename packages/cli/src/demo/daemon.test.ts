import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Processes that have `text` on their command line; Linux only. */
function withArgument(text: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a demo that is told to end while a daemon is starting leaves neither that daemon nor its directory", {
  skip: process.platform !== "linux",
  timeout: 30_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-demo-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const demo = spawn(process.execPath, [MAIN, "demo"], { stdio: "ignore", env: { ...process.env, TMPDIR: directory } });
  t.after(() => demo.kill("SIGKILL"));
  const ended = new Promise<number | null>((resolve) => demo.once("exit", resolve));
  await until(() => withArgument(directory).length > 0);
  demo.kill("SIGTERM");
  assert.equal(await ended, 130);
  await until(() => withArgument(directory).length === 0);
  assert.deepEqual(readdirSync(directory), []);
});
