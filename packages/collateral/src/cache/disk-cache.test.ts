import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { CollateralError } from "../errors.ts";
import type { AnswerCache, CachedAnswer } from "./cached-answer.ts";
import { type DiskCacheOptions, openDiskCache } from "./disk-cache.ts";
import { decodeEntry, encodeEntry } from "./entry-format.ts";

const root = mkdtempSync(join(tmpdir(), "confcom-cache-"));
after(() => rmSync(root, { recursive: true, force: true }));
let serial = 0;

function options(more: Partial<DiskCacheOptions> = {}): DiskCacheOptions {
  const uid = process.geteuid?.() ?? 0;
  return { directory: join(root, `${serial++}`), uid, pid: 1, clock: { now: () => Date.now() }, ...more };
}

const tcbInfo = (body: string): CachedAnswer => ({
  answer: { kind: "tcb-info", body, issuerChain: "chain" },
  storedAt: 5,
  maxAgeMs: 7,
  source: "pcs https://example",
});

const entries = (directory: string) => readdirSync(directory).filter((name) => name.endsWith(".answer"));
const onlyEntry = (directory: string) => join(directory, entries(directory)[0] as string);

const unusable = (promise: Promise<unknown>, words: RegExp) =>
  assert.rejects(
    promise,
    (error) => error instanceof CollateralError && error.code === "CACHE_UNUSABLE" && words.test(error.message),
  );

describe("an entry of the cache on disk", () => {
  it("of every kind is read as it was written", async () => {
    const cache = await openDiskCache(options());
    const crl = Uint8Array.of(0, 255, 7);
    const answers: CachedAnswer["answer"][] = [
      { kind: "pck-certificate", certificate: "c", issuerChain: "i", tcbm: "t", fmspc: "f", ca: "platform" },
      { kind: "pck-crl", crl, issuerChain: "i" },
      { kind: "tcb-info", body: '{"ä":1}', issuerChain: "i" },
      { kind: "identity", body: "{}", issuerChain: "i" },
      { kind: "root-ca-crl", crl },
      { kind: "crl", crl },
    ];
    for (const answer of answers) {
      await cache.write(answer.kind, { answer, storedAt: 1, source: "s" });
      assert.deepEqual(await cache.read(answer.kind), { answer, storedAt: 1, source: "s" });
    }
  });

  it("is a file of mode 0600 in a directory of mode 0700, and nothing unfinished stays", async () => {
    const given = options();
    const cache = await openDiskCache(given);
    await cache.write("k", tcbInfo("a"));
    await cache.write("k", tcbInfo("b"));
    assert.equal(statSync(given.directory).mode & 0o777, 0o700);
    assert.equal(statSync(onlyEntry(given.directory)).mode & 0o777, 0o600);
    assert.equal(readdirSync(given.directory).length, 1);
    assert.deepEqual(await cache.read("k"), tcbInfo("b"));
  });

  it("that is damaged anywhere is a miss and removed", async () => {
    const given = options();
    const cache = await openDiskCache(given);
    await cache.write("k", tcbInfo("body"));
    const path = onlyEntry(given.directory);
    const sound = readFileSync(path);
    for (let at = 0; at < sound.length; at++) {
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(path, damaged);
      assert.equal(await cache.read("k"), undefined, `byte ${at}`);
      assert.deepEqual(entries(given.directory), []);
    }
    writeFileSync(path, sound.subarray(0, sound.length - 1));
    assert.equal(await cache.read("k"), undefined);
  });

  it("of another key, of another version, or a symbolic link in its place is a miss", async () => {
    const given = options();
    const cache = await openDiskCache(given);
    await cache.write("k", tcbInfo("a"));
    const path = onlyEntry(given.directory);
    writeFileSync(path, encodeEntry("other", tcbInfo("a")));
    assert.equal(await cache.read("k"), undefined);
    writeFileSync(
      path,
      Buffer.from(encodeEntry("k", tcbInfo("a")))
        .toString()
        .replace("cache/1", "cache/2"),
    );
    assert.equal(await cache.read("k"), undefined);
    const elsewhere = join(root, "elsewhere");
    writeFileSync(elsewhere, encodeEntry("k", tcbInfo("a")));
    symlinkSync(elsewhere, path);
    assert.equal(await cache.read("k"), undefined);
    assert.deepEqual(entries(given.directory), []);
    assert.ok(statSync(elsewhere).isFile());
    mkdirSync(path);
    assert.equal(await cache.read("k"), undefined);
  });

  it("any bytes are a miss", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decodeEntry("k", bytes) === undefined));
  });
});

describe("the directory of the cache", () => {
  it("that is a symbolic link, a file, somebody else's or open to others is refused", async () => {
    const sound = options();
    await openDiskCache(sound);
    const link = options();
    symlinkSync(sound.directory, link.directory);
    await unusable(openDiskCache(link), /symbolic link/);
    const file = options();
    writeFileSync(file.directory, "");
    await unusable(openDiskCache(file), /no directory/);
    await unusable(openDiskCache({ ...sound, uid: sound.uid + 1 }), /belongs to user/);
    chmodSync(sound.directory, 0o777);
    await unusable(openDiskCache(sound), /others may write/);
    await unusable(openDiskCache(options({ directory: "/proc/self/nowhere/cache" })), /nowhere/);
  });

  it("that others may read is closed to them", async () => {
    const given = options();
    mkdirSync(given.directory, { mode: 0o755 });
    await openDiskCache(given);
    assert.equal(statSync(given.directory).mode & 0o777, 0o700);
  });

  it("that vanishes makes writes fail and reads miss", async () => {
    const given = options();
    const cache = await openDiskCache(given);
    rmSync(given.directory, { recursive: true });
    await unusable(cache.write("k", tcbInfo("a")), /cannot be used/);
    assert.equal(await cache.read("k"), undefined);
  });
});

describe("the bounds of the cache", () => {
  it("in number and bytes: what was written longest ago goes", async () => {
    const given = options({ maxEntries: 10 });
    const cache = await openDiskCache(given);
    for (let i = 0; i < 40; i++) await cache.write(`${i}`, tcbInfo(`${i}`));
    assert.ok(entries(given.directory).length <= 10);
    assert.notEqual(await cache.read("39"), undefined);
    assert.equal(await cache.read("0"), undefined);

    const bytes = options({ maxBytes: 50_000 });
    const small = await openDiskCache(bytes);
    for (let i = 0; i < 40; i++) {
      await small.write(`${i}`, tcbInfo("x".repeat(5000)));
      for (const name of entries(bytes.directory)) utimesSync(join(bytes.directory, name), 1000 + i, 1000 + i);
    }
    const total = entries(bytes.directory).reduce((sum, name) => sum + statSync(join(bytes.directory, name)).size, 0);
    assert.ok(total > 0 && total <= 50_000, `${total}`);
    await small.write("large", tcbInfo("x".repeat(60_000)));
    assert.equal(await small.read("large"), undefined);
  });

  it("unfinished files of a process that died go, others stay", async () => {
    const given = options();
    await openDiskCache(given);
    for (const name of ["1-0.unfinished", "2-0.unfinished", "somebody.else"])
      writeFileSync(join(given.directory, name), "x");
    utimesSync(join(given.directory, "2-0.unfinished"), 1000, 1000);
    await (await openDiskCache(given)).write("k", tcbInfo("a"));
    assert.deepEqual(
      readdirSync(given.directory)
        .filter((name) => !name.endsWith(".answer"))
        .sort(),
      ["1-0.unfinished", "somebody.else"],
    );
  });

  it("two that share a directory write and read one key at the same time: every read is whole", async () => {
    const given = options();
    const caches: AnswerCache[] = [await openDiskCache(given), await openDiskCache(given)];
    const work = caches.map(async (cache, writer) => {
      for (let i = 0; i < 40; i++) {
        await cache.write("k", tcbInfo(`${writer}`.repeat(20_000)));
        const { answer } = (await cache.read("k")) as CachedAnswer;
        assert.match((answer as { body: string }).body, /^(0{20000}|1{20000})$/);
      }
    });
    await Promise.all(work);
    assert.equal(readdirSync(given.directory).length, 1);
  });
});
