import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { CrashingFileSystem, Stopped, SURVIVALS } from "../testing/crashing-file-system.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { StateDirectory } from "./state-directory.ts";
import type { StateFileSystem } from "./state-file-system.ts";

const text = (value: string) => new TextEncoder().encode(value);
const read = (state: StateDirectory, name: string) => {
  const bytes = state.read(name);
  return bytes && new TextDecoder().decode(bytes);
};
const modeOf = (path: string) => (fs.statSync(path).mode & 0o777).toString(8);

let base = "";
beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), "confcom-state-"));
});
afterEach(() => fs.rmSync(base, { recursive: true, force: true }));

test("a missing directory is made with its parents, 0700, and files are 0600", () => {
  const state = StateDirectory.open(join(base, "a/b"), nodeFileSystem);
  state.replace("x.json", text("one"));
  assert.ok(state.createOnce("y.json", text("two")));
  assert.equal(modeOf(join(base, "a")), "700");
  assert.equal(modeOf(join(base, "a/b")), "700");
  assert.equal(modeOf(join(base, "a/b/x.json")), "600");
  assert.equal(modeOf(join(base, "a/b/y.json")), "600");
  assert.deepEqual(fs.readdirSync(join(base, "a/b")).sort(), ["x.json", "y.json"]);
});

test("a file that is not there reads as undefined; replace overwrites, createOnce never does", () => {
  const state = StateDirectory.open(join(base, "s"), nodeFileSystem);
  assert.equal(state.read("x.json"), undefined);
  assert.equal(state.createOnce("x.json", text("first")), true);
  assert.equal(state.createOnce("x.json", text("second")), false);
  assert.equal(read(state, "x.json"), "first");
  state.replace("x.json", text("third"));
  assert.equal(read(state, "x.json"), "third");
  assert.deepEqual(fs.readdirSync(join(base, "s")), ["x.json"]);
});

test("a damaged file is moved aside under a name that tells when, never over another", () => {
  const state = StateDirectory.open(join(base, "s"), nodeFileSystem);
  const when = new Date("2026-01-02T03:04:05.678Z");
  for (const content of ["one", "two", "three"]) {
    state.replace("x.blob", text(content));
    state.moveAside("x.blob", when);
    assert.equal(state.read("x.blob"), undefined);
  }
  const names = fs.readdirSync(join(base, "s")).sort();
  assert.deepEqual(names, [
    "x.blob.damaged-20260102T030405Z",
    "x.blob.damaged-20260102T030405Z-2",
    "x.blob.damaged-20260102T030405Z-3",
  ]);
  assert.deepEqual(
    names.map((name) => read(state, name)),
    ["one", "two", "three"],
  );
});

test("names that leave the directory or hide in it are refused", () => {
  const state = StateDirectory.open(join(base, "s"), nodeFileSystem);
  for (const name of ["", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a\0b", "x".repeat(101)]) {
    assert.throws(() => state.read(name), { code: "STATE_NAME_INVALID" }, JSON.stringify(name));
    assert.throws(() => state.replace(name, text("x")), { code: "STATE_NAME_INVALID" });
  }
});

test("a path that is empty, a link or a file is refused", () => {
  fs.mkdirSync(join(base, "real"), { mode: 0o700 });
  fs.symlinkSync(join(base, "real"), join(base, "link"));
  fs.writeFileSync(join(base, "file"), "");
  assert.throws(() => StateDirectory.open("", nodeFileSystem), { code: "STATE_PATH_INVALID" });
  assert.throws(() => StateDirectory.open("a\0b", nodeFileSystem), { code: "STATE_PATH_INVALID" });
  assert.throws(() => StateDirectory.open(join(base, "link"), nodeFileSystem), { code: "STATE_NOT_A_DIRECTORY" });
  assert.throws(() => StateDirectory.open(join(base, "file"), nodeFileSystem), { code: "STATE_NOT_A_DIRECTORY" });
});

test("a directory or file of another user is refused, and the message names both", () => {
  const other: StateFileSystem = { ...nodeFileSystem, userId: () => nodeFileSystem.userId() + 1 };
  fs.mkdirSync(join(base, "s"), { mode: 0o700 });
  assert.throws(() => StateDirectory.open(join(base, "s"), other), {
    code: "STATE_WRONG_OWNER",
    message: new RegExp(`belongs to uid ${nodeFileSystem.userId()}, this is uid ${nodeFileSystem.userId() + 1}`),
  });
  let user = nodeFileSystem.userId();
  const state = StateDirectory.open(join(base, "s"), { ...nodeFileSystem, userId: () => user });
  state.replace("x.json", text("x"));
  user++;
  assert.throws(() => state.read("x.json"), { code: "STATE_WRONG_OWNER" });
});

test("permissions for others are taken away with a warning", () => {
  fs.mkdirSync(join(base, "s"));
  fs.chmodSync(join(base, "s"), 0o755);
  fs.writeFileSync(join(base, "s/x.json"), "x");
  fs.chmodSync(join(base, "s/x.json"), 0o644);
  const warnings: string[] = [];
  const state = StateDirectory.open(join(base, "s"), nodeFileSystem, (message) => warnings.push(message));
  assert.equal(read(state, "x.json"), "x");
  assert.equal(modeOf(join(base, "s")), "700");
  assert.equal(modeOf(join(base, "s/x.json")), "600");
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] as string, /mode 755; changed to 700/);
});

test("a directory others could write to is refused when something is inside, tightened when empty", () => {
  fs.mkdirSync(join(base, "s"));
  fs.chmodSync(join(base, "s"), 0o777);
  StateDirectory.open(join(base, "s"), nodeFileSystem).replace("x.json", text("x"));
  assert.equal(modeOf(join(base, "s")), "700");
  fs.chmodSync(join(base, "s"), 0o720);
  assert.throws(() => StateDirectory.open(join(base, "s"), nodeFileSystem), { code: "STATE_EXPOSED" });
});

test("a link, a pipe or a directory in a file's place is refused without following or waiting", () => {
  const state = StateDirectory.open(join(base, "s"), nodeFileSystem);
  fs.symlinkSync("/etc/hostname", join(base, "s/link.json"));
  fs.mkdirSync(join(base, "s/dir.json"));
  for (const name of ["link.json", "dir.json"]) {
    assert.throws(() => state.read(name), { code: "STATE_NOT_READABLE" }, name);
  }
});

test("a file over 1 MiB is neither read nor written", () => {
  const state = StateDirectory.open(join(base, "s"), nodeFileSystem);
  const large = new Uint8Array((1 << 20) + 1);
  assert.throws(() => state.replace("x.json", large), { code: "STATE_TOO_LARGE" });
  fs.writeFileSync(join(base, "s/x.json"), large, { mode: 0o600 });
  assert.throws(() => state.read("x.json"), { code: "STATE_TOO_LARGE" });
  state.replace("x.json", large.subarray(1));
  assert.equal(state.read("x.json")?.length, 1 << 20);
});

test("what the file system refuses is named, with its own code as the cause, and no temporary file is left", () => {
  const state = (fails: Partial<StateFileSystem>) =>
    StateDirectory.open(join(base, "s"), { ...nodeFileSystem, ...fails });
  const fail = (code: string) => () => {
    throw Object.assign(new Error(`${code}: refused`), { code });
  };
  for (const [code, expected] of [
    ["EACCES", "STATE_NOT_WRITABLE"],
    ["EROFS", "STATE_NOT_WRITABLE"],
    ["ENOSPC", "STATE_NOT_WRITABLE"],
    ["EIO", "STATE_IO"],
  ] as const) {
    for (const operation of ["createFile", "write", "syncFile", "rename"] as const) {
      assert.throws(
        () => state({ [operation]: fail(code) }).replace("x.json", text("x")),
        (error: Error & { code?: string; cause?: { code?: string } }) =>
          error.code === expected && error.cause?.code === code && error.message.includes("x.json"),
        `${operation} ${code}`,
      );
      assert.deepEqual(fs.readdirSync(join(base, "s")), [], `${operation} ${code}`);
    }
    assert.throws(() => state({ link: fail(code) }).createOnce("x.json", text("x")), { code: expected });
  }
  assert.throws(() => StateDirectory.open(join(base, "new"), { ...nodeFileSystem, makeDirectory: fail("EACCES") }), {
    code: "STATE_NOT_WRITABLE",
  });
});

test("temporary files of killed processes are removed after ten minutes, nothing else is", () => {
  const state = StateDirectory.open(join(base, "s"), nodeFileSystem);
  const leftover = join(base, "s/.x.json.0123456789abcdef.tmp");
  for (const name of [leftover, join(base, "s/.keep"), join(base, "s/y.json")]) fs.writeFileSync(name, "");
  const { mtime } = fs.statSync(leftover);
  state.removeLeftovers(new Date(mtime.getTime() + 9 * 60_000));
  assert.ok(fs.existsSync(leftover));
  state.removeLeftovers(new Date(mtime.getTime() + 11 * 60_000));
  assert.deepEqual(fs.readdirSync(join(base, "s")).sort(), [".keep", "y.json"]);
});

/** Runs `work` on a fresh disk, stopping after 0, 1, 2, ... operations, and hands each leftover disk to `check`. */
function stopEverywhere(
  prepare: (fs: CrashingFileSystem) => void,
  work: (fs: CrashingFileSystem) => void,
  check: (fs: CrashingFileSystem, finished: boolean, what: string) => void,
): void {
  for (const survival of SURVIVALS) {
    for (let operations = 0; ; operations++) {
      const disk = new CrashingFileSystem();
      prepare(disk);
      const machine = disk.restart(SURVIVALS[0] as (typeof SURVIVALS)[number], operations);
      let finished = true;
      try {
        work(machine);
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
        finished = false;
      }
      check(machine.restart(survival), finished, `${survival.name}, stopped after ${operations}`);
      if (finished) break;
    }
  }
}

test("after a stop anywhere in replace, the file is whole: the old one or the new one, and the new one once it returned", () => {
  let stops = 0;
  stopEverywhere(
    (disk) => StateDirectory.open("/s", disk).replace("x.json", text("old content")),
    (disk) => StateDirectory.open("/s", disk).replace("x.json", text("new content")),
    (disk, finished, what) => {
      const content = read(StateDirectory.open("/s", disk), "x.json");
      assert.ok(content === "new content" || (content === "old content" && !finished), `${what}: ${content}`);
      stops++;
    },
  );
  assert.ok(stops > 40);
});

test("after a stop anywhere in the first createOnce, the file is absent or whole, and there once it returned", () => {
  stopEverywhere(
    () => {},
    (disk) => StateDirectory.open("/deep/er/s", disk).createOnce("x.json", text("content")),
    (disk, finished, what) => {
      const content = read(StateDirectory.open("/deep/er/s", disk), "x.json");
      assert.ok(content === "content" || (content === undefined && !finished), `${what}: ${content}`);
    },
  );
});

test("what a killed process left unsynced is durable once its successor has read it", () => {
  const powerLost = SURVIVALS[1] as (typeof SURVIVALS)[number];
  for (let operations = 0; operations < 40; operations++) {
    const first = new CrashingFileSystem(operations);
    try {
      StateDirectory.open("/deep/s", first).createOnce("x.json", text("content"));
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
    // The same kernel goes on with the same unsynced changes.
    const second = first.share();
    const state = StateDirectory.open("/deep/s", second);
    // Read when the first process came so far, made when it did not: either way someone builds on it now.
    if (state.read("x.json") === undefined) state.createOnce("x.json", text("content"));
    const third = second.restart(powerLost);
    assert.equal(read(StateDirectory.open("/deep/s", third), "x.json"), "content", `stopped after ${operations}`);
  }
});

test("two processes that create at once agree, whichever operation the other one comes in at", () => {
  for (let at = 0; at < 30; at++) {
    const disk = new CrashingFileSystem();
    let other: string | undefined;
    disk.before = (operation) => {
      if (operation !== at) return;
      const state = StateDirectory.open("/s", disk.share());
      state.createOnce("x.json", text("other"));
      other = read(state, "x.json");
    };
    const state = StateDirectory.open("/s", disk);
    state.createOnce("x.json", text("one"));
    assert.equal(read(state, "x.json"), other ?? "one", `at operation ${at}`);
  }
});
