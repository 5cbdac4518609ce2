import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LogStream } from "./log-stream.ts";

test("a pipe that nobody reads stops nobody: what does not fit is lost, and how much is said once it is read", async () => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-log-"));
  const path = join(directory, "pipe");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    const log = new LogStream(writer);
    const line = `${"x".repeat(1023)}\n`;
    for (let count = 0; count < 2_000; count++) log.write(line);
    const buffer = Buffer.alloc(1024 * 1024);
    const fitted = readSync(reader, buffer) / line.length;
    assert.ok(Number.isInteger(fitted) && fitted > 0 && fitted < 2_000);
    log.write("after\n");
    const text = buffer.toString("latin1", 0, readSync(reader, buffer));
    assert.equal(text, `\n{"level":40,"lost":${2_000 - fitted}}\nafter\n`);
    const all = log.writeAll("z".repeat(200_000));
    let read = 0;
    while (read < 200_000) {
      try {
        read += readSync(reader, buffer);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    await all;
  } finally {
    closeSync(reader);
    closeSync(writer);
    rmSync(directory, { recursive: true });
  }
});
