import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { CollateralError } from "../errors.ts";
import type { CachedAnswer } from "./cached-answer.ts";
import { openDiskCache } from "./disk-cache.ts";

// The cache directory as processes of their own see it: shared, killed, without room, not writable.

const root = mkdtempSync(join(tmpdir(), "confcom-cache-"));
after(() => rmSync(root, { recursive: true, force: true }));
let serial = 0;
const directory = () => join(root, `${serial++}`);
const clock = { now: () => Date.now() };
const uid = process.geteuid?.() ?? 0;

/** Whole if it is one digit throughout. */
const answer = (digit: number, length: number): CachedAnswer => ({
  answer: { kind: "tcb-info", body: `${digit}`.repeat(length), issuerChain: "chain" },
  storedAt: 5,
  source: "pcs",
});
const isWhole = ({ answer: { body } }: { answer: { body?: string } }) => body === body?.[0]?.repeat(body.length);

const PRELUDE = `
  const [module, directory, digit] = process.argv.slice(1);
  const { openDiskCache } = await import(module);
  const cache = await openDiskCache({ directory, uid: process.geteuid(), pid: process.pid, clock: Date, maxEntries: 100 });
  const answer = (length) => ({
    answer: { kind: "tcb-info", body: digit.repeat(length), issuerChain: "chain" }, storedAt: 5, source: "pcs",
  });
`;

function child(program: string, path: string, digit: number, shell?: string): ChildProcess & { said: string } {
  const module = new URL("./disk-cache.ts", import.meta.url).href;
  const args = ["--input-type=module", "-e", PRELUDE + program, module, path, `${digit}`];
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const started =
    shell === undefined
      ? spawn(process.execPath, args, { stdio: [...stdio] })
      : spawn("/bin/sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, ...args], { stdio: [...stdio] });
  const found = Object.assign(started, { said: "" });
  started.stdout?.on("data", (chunk) => {
    found.said += chunk;
  });
  return found;
}

describe("a cache directory of several processes", () => {
  it("that write and read the same keys: whatever one reads is whole, and together they keep to the bounds", async () => {
    const path = directory();
    const program = `
      let broken = 0;
      for (let i = 0; i < 150; i++) {
        await cache.write("key " + (i % 130), answer(20000));
        const read = await cache.read("key " + ((i * 7) % 130));
        if (read !== undefined && read.answer.body !== read.answer.body[0].repeat(read.answer.body.length)) broken++;
      }
      console.log(broken);
    `;
    const children = [child(program, path, 1), child(program, path, 2)];
    for (const one of children) if (one.exitCode === null) await once(one, "close");
    assert.deepEqual(
      children.map(({ said, exitCode }) => [said.trim(), exitCode]),
      [
        ["0", 0],
        ["0", 0],
      ],
    );
    const names = readdirSync(path);
    assert.ok(names.length <= 110, `${names.length} entries`);
    assert.ok(names.every((name) => name.endsWith(".answer")));
  });

  it("of which one is killed while it writes: every entry is whole, and the others go on", async () => {
    const path = directory();
    const program = `
      console.log("started");
      for (let i = 0; ; i++) await cache.write("key " + (i % 5), answer(200000));
    `;
    for (let round = 0; round < 3; round++) {
      const writer = child(program, path, round);
      while ((readdirSyncIfThere(path).length ?? 0) < 5) await new Promise((resolve) => setTimeout(resolve, 5));
      writer.kill("SIGKILL");
      await once(writer, "close");
      const cache = await openDiskCache({ directory: path, uid, pid: process.pid, clock });
      for (let i = 0; i < 5; i++) {
        const read = await cache.read(`key ${i}`);
        if (read !== undefined) assert.ok(isWhole(read as never), `key ${i}`);
      }
      await cache.write("own", answer(9, 100));
      assert.notEqual(await cache.read("own"), undefined);
    }
  });
});

function readdirSyncIfThere(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

describe("a cache directory that cannot be written", () => {
  it("for want of room: CACHE_UNUSABLE, nothing half of it stays, what was there is still read", async () => {
    const path = directory();
    const before = await openDiskCache({ directory: path, uid, pid: process.pid, clock });
    await before.write("held", answer(3, 100));
    const program = `
      let code;
      try { await cache.write("held", answer(200000)); } catch (error) { code = error.code + " " + error.message; }
      console.log(code);
      const read = await cache.read("held");
      console.log(read.answer.body.length);
      await cache.write("small", answer(100));
      console.log((await cache.read("small")).answer.body.length);
    `;
    // No file of this process gets larger than some blocks: what a full file system says to a write, in its own words.
    const full = child(program, path, 4, "ulimit -f 16");
    await once(full, "close");
    const [code, held, small] = full.said.trim().split("\n");
    assert.match(code ?? "", /^CACHE_UNUSABLE the cache directory .* cannot be used: EFBIG/);
    assert.deepEqual([held, small], ["100", "100"]);
    assert.ok(readdirSync(path).every((name) => name.endsWith(".answer")));
  });

  it("because it is read-only: CACHE_UNUSABLE for what is new, what is there is still read", async () => {
    const path = directory();
    // The superuser may write anywhere: this is about somebody else, then.
    const user = uid === 0 ? 65534 : uid;
    if (uid === 0) chmodSync(root, 0o711);
    const cache = await openDiskCache({ directory: path, uid: user === uid ? uid : 0, pid: process.pid, clock });
    await cache.write("held", answer(3, 100));
    for (const name of readdirSync(path)) chownSync(join(path, name), user, -1);
    chownSync(path, user, -1);
    chmodSync(path, 0o500);
    try {
      process.seteuid?.(user);
      const readOnly = await openDiskCache({ directory: path, uid: user, pid: process.pid, clock });
      assert.notEqual(await readOnly.read("held"), undefined);
      await assert.rejects(
        readOnly.write("new", answer(4, 100)),
        (error) => error instanceof CollateralError && error.code === "CACHE_UNUSABLE" && /EACCES/.test(error.message),
      );
      assert.notEqual(await readOnly.read("held"), undefined);
    } finally {
      process.seteuid?.(uid);
      chmodSync(path, 0o700);
    }
  });
});
