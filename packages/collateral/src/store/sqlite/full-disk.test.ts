import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

// A disk that is really full: a small tmpfs of the child's own where this may mount one, and always a limit on the size of
// files, which the kernel answers with another error.

const SCRIPT = fileURLToPath(new URL("testing/write-until-full.ts", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "confcom-full-"));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

interface Said {
  readonly code: string;
  readonly ready: string;
  readonly acknowledged: number;
  readonly kept: number;
  readonly platforms: number;
}

/** What the child says when nothing more can be written, and again when `makeRoom` has been called. */
async function writeUntilFull(command: readonly string[], makeRoom: (pid: number) => void): Promise<[Said, Said]> {
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [full] = (await once(lines, "line")) as [string];
  makeRoom(child.pid as number);
  child.stdin.write("room\n");
  const [again] = (await once(lines, "line")) as [string];
  assert.deepEqual(await exited, [0, null]);
  return [JSON.parse(full) as Said, JSON.parse(again) as Said];
}

function assertNothingLost(full: Said, again: Said, code: string): void {
  // Whether it is ready depends on what is left: a row of a few bytes may still fit.
  const { ready: _, ...seen } = full;
  const { acknowledged } = seen;
  assert.ok(acknowledged > 10, `only ${acknowledged} writes`);
  assert.deepEqual(seen, { code, acknowledged, kept: acknowledged, platforms: acknowledged });
  const all = acknowledged + 1;
  assert.deepEqual(again, { code: "none", ready: "none", acknowledged: all, kept: all, platforms: all });
}

const MOUNT = "mount -t tmpfs -o size=8m,mode=700 tmpfs";
const mayMount =
  spawnSync("unshare", ["--mount", "sh", "-c", `${MOUNT} "$0"`, scratch], { stdio: "ignore" }).status === 0;

test("a file system that is full fails the write alone: nothing acknowledged is lost, and room makes it good again", {
  skip: mayMount ? false : "mounting a file system needs root",
}, async () => {
  // The file system is that namespace's, so it goes with the child, however that ends.
  const script = `${MOUNT} "$0" && head -c 5000000 /dev/zero > "$0/others" && exec "$1" "$2" "$0/state" 1000`;
  const command = ["unshare", "--mount", "sh", "-c", script, scratch, process.execPath, SCRIPT];
  const [full, again] = await writeUntilFull(command, (pid) => rmSync(`/proc/${pid}/root${scratch}/others`));
  assertNothingLost(full, again, "STORE_FULL");
});

test("files that may not grow fail the write alone: nothing acknowledged is lost, and a wider limit makes it good again", async () => {
  const command = ["prlimit", "--fsize=3000000:unlimited", process.execPath, SCRIPT, join(scratch, "limited"), "1000"];
  const [full, again] = await writeUntilFull(command, (pid) => {
    execFileSync("prlimit", ["--pid", String(pid), "--fsize=unlimited"]);
  });
  assertNothingLost(full, again, "STORE_IO");
});
