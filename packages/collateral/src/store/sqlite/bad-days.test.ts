import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import type { CollateralError } from "../../errors.ts";
import { certificate, crl, platformKey, rawTcb, wholePlatform } from "../conformance/sample-rows.ts";
import type { StoreChange } from "../store.ts";
import { openSqliteStore, restoreSqliteStore } from "./index.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { realClock } from "./testing/real-clock.ts";

const scratch = mkdtempSync(join(tmpdir(), "confcom-sqlite-"));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

let next = 0;
const place = () => join(scratch, String(next++));
const open = (directory: string, options: object = {}) =>
  openSqliteStore({ directory, clock: realClock, busyMs: 50, ...options });
const fails = (work: Promise<unknown>, code: string) =>
  assert.rejects(work, (error: CollateralError) => error.code === code);

/** Another process that writes so many platforms; `acknowledged` fills as it says so. */
async function writer(directory: string, count: number) {
  const script = fileURLToPath(new URL("testing/write-until-killed.ts", import.meta.url));
  const child = spawn(process.execPath, [script, directory, String(count)], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout });
  let wanted = { count: 0, resolve: () => undefined as unknown };
  const opened = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      if (line === "open") resolve();
      else acknowledged.push(Number(line));
      if (acknowledged.length >= wanted.count) wanted.resolve();
    });
  });
  const reached = (count: number) =>
    new Promise<void>((resolve) => {
      wanted = { count, resolve: () => resolve() };
      if (acknowledged.length >= count) resolve();
    });
  const ended = once(lines, "close");
  await opened;
  return { child, acknowledged, reached, ended };
}

async function filled(directory: string, platforms: number): Promise<string> {
  const store = await open(directory);
  await store.write(Array.from({ length: platforms }, (_, n) => wholePlatform(n)).flat());
  await store.close();
  return join(directory, "pccs.db");
}

test("nothing acknowledged is lost when the process is killed in the middle of 1,000 writes", async () => {
  const directory = place();
  const { child, acknowledged, reached, ended } = await writer(directory, 1_000);
  await reached(200);
  child.kill("SIGKILL");
  await ended;
  assert.ok(acknowledged.length >= 200);
  const store = await open(directory);
  for (const n of acknowledged) assert.deepEqual(await store.pckCertificates(platformKey(n)), [certificate(n)]);
  const { platforms, certificates } = await store.counts();
  assert.equal(platforms, certificates);
  await store.close();
  const database = new Sqlite(join(directory, "pccs.db"), { readonly: true });
  assert.equal(database.pragma("integrity_check", { simple: true }), "ok");
  database.close();
});

test("a directory that another process writes is busy; it can be read and backed up meanwhile", async () => {
  const directory = place();
  const { child, reached } = await writer(directory, 20);
  await reached(20);
  await fails(open(directory), "STORE_BUSY");
  const reading = await open(directory, { readOnly: true });
  assert.equal((await reading.counts()).platforms, 20);
  await fails(reading.write(wholePlatform(99)), "STORE_IO");
  const copy = join(scratch, "copy.db");
  await reading.backup(copy);
  await fails(reading.backup(copy), "STORE_IO");
  await reading.close();
  assert.throws(() => restoreSqliteStore(directory, copy, { replace: true, busyMs: 50 }), { code: "STORE_BUSY" });

  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  assert.throws(() => restoreSqliteStore(directory, copy, { replace: false }), { code: "STORE_IO" });
  const { movedTo } = restoreSqliteStore(directory, copy, { replace: true });
  assert.ok(movedTo !== undefined && statSync(movedTo).size > 0);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  const restored = await open(directory);
  assert.equal((await restored.counts()).platforms, 20);
  await restored.close();
});

test("a file that loses its name under the service is not written any more, and readiness says so", async () => {
  const directory = place();
  const path = await filled(directory, 1);
  const store = await open(directory);
  renameSync(path, `${path}.elsewhere`);
  await fails(store.write(wholePlatform(2)), "STORE_IO");
  await fails(store.ping(), "STORE_IO");
  renameSync(`${path}.elsewhere`, path);
  await store.ping();
  await store.write(wholePlatform(2));
  await store.close();
});

test("what is restored has the write-ahead log of the file that was named", async () => {
  const directory = place();
  const store = await open(directory);
  await store.write(wholePlatform(1));
  const restored = place();
  restoreSqliteStore(restored, join(directory, "pccs.db"), { replace: false });
  await store.close();
  const again = await open(restored);
  assert.equal((await again.counts()).platforms, 1);
  await again.close();
});

test("directory and files are for their owner alone", async () => {
  const directory = place();
  const path = await filled(directory, 1);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a state directory that others may enter is closed to them, with a warning", async () => {
  const directory = place();
  await filled(directory, 1);
  chmodSync(directory, 0o755);
  chmodSync(join(directory, "pccs.db"), 0o644);
  const reported: string[] = [];
  await (await open(directory, { report: (line: string) => reported.push(line) })).close();
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, "pccs.db")).mode & 0o777, 0o600);
  assert.deepEqual(
    reported.map((line) => line.slice(line.lastIndexOf("had mode"))),
    ["had mode 755; changed to 700", "had mode 644; changed to 600"],
  );
});

test("a state directory that others may write, that is a link, or a file, is refused and left as it is", async () => {
  const directory = place();
  await filled(directory, 1);
  const link = place();
  symlinkSync(directory, link);
  await fails(open(link), "SERVICE_CONFIGURATION");
  chmodSync(directory, 0o770);
  await fails(open(directory), "SERVICE_CONFIGURATION");
  assert.equal(statSync(directory).mode & 0o777, 0o770);
  const file = place();
  writeFileSync(file, "");
  await fails(open(file), "STORE_IO");
  const made = place();
  mkdirSync(made);
  chmodSync(made, 0o777);
  await (await open(made)).close();
  assert.equal(statSync(made).mode & 0o777, 0o700);
});

test("a first start that was killed half-way begins anew; reading where nothing is, says so", async () => {
  const directory = place();
  mkdirSync(directory, { mode: 0o700 });
  await fails(open(directory, { readOnly: true }), "SERVICE_CONFIGURATION");
  writeFileSync(join(directory, "pccs.db.new"), "half of a database");
  const store = await open(directory);
  await store.write(wholePlatform(1));
  await store.close();
  assert.ok(!readdirSync(directory).includes("pccs.db.new"));
});

const DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  "a header that is overwritten": (path) => overwrite(path, 0, 100),
  "a page of zeros": (path) => overwrite(path, 8192 * 3, 8192, 0),
  "a page of noise": (path) => overwrite(path, 8192 * 5, 4096),
  "a file cut in the middle of a page": (path) => truncateSync(path, 8192 * 4 + 100),
  "a file cut to nothing": (path) => truncateSync(path, 0),
  "another file": (path) => writeFileSync(path, "this is a text and no database at all".repeat(1000)),
};

for (const [what, damage] of Object.entries(DAMAGE)) {
  test(`${what} is refused, and the file left as it is`, async () => {
    const directory = place();
    const path = await filled(directory, 100);
    damage(path);
    const before = readFileSync(path);
    await fails(open(directory), "STORE_DAMAGED");
    await fails(open(directory), "STORE_DAMAGED");
    assert.deepEqual(readFileSync(path), before);
    assert.throws(() => restoreSqliteStore(place(), path, { replace: false }), { code: "STORE_DAMAGED" });
  });
}

test("one bit of a certificate that flips on the disk is not served", async () => {
  const directory = place();
  const path = await filled(directory, 10);
  const bytes = readFileSync(path);
  const at = bytes.indexOf("-----BEGIN CERTIFICATE-----\n7.0");
  assert.ok(at > 0);
  bytes[at + 12] = (bytes[at + 12] as number) ^ 1;
  writeFileSync(path, bytes);
  const store = await open(directory);
  await store.write([{ put: "pck-chain", ca: "platform", issuerChain: "chain" }]);
  assert.throws(() => store.pckAnswer(rawTcb(7)), { code: "STORE_DAMAGED" });
  assert.throws(() => store.pckCertificates(platformKey(7)), { code: "STORE_DAMAGED" });
  assert.notEqual(store.pckAnswer(rawTcb(6)), undefined);
  await store.close();
});

test("a newer schema and another program's database are refused and left as they are", async () => {
  const directory = place();
  const path = await filled(directory, 1);
  const change = (sql: string) => {
    const database = new Sqlite(path);
    database.exec(sql);
    database.close();
  };
  change(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  await fails(open(directory), "STORE_VERSION");
  change(`PRAGMA user_version = ${SCHEMA_VERSION}; PRAGMA application_id = 7`);
  await fails(open(directory), "STORE_VERSION");
});

test("a full disk fails the write alone: all that was acknowledged is there, and room makes it good again", async () => {
  const store = await open(place(), { maximumBytes: 60 * 8192 });
  const acknowledged: number[] = [];
  const big = (n: number): StoreChange[] => [
    ...wholePlatform(n),
    { put: "crl", url: `https://crl.example/${n}`, crl: crl(1, 10_000) },
  ];
  for (let n = 0; ; n++) {
    assert.ok(n < 1_000, "the limit was never reached");
    try {
      await store.write(big(n));
      acknowledged.push(n);
    } catch (error) {
      assert.equal((error as CollateralError).code, "STORE_FULL");
      break;
    }
  }
  for (const n of acknowledged) assert.deepEqual(await store.pckCertificates(platformKey(n)), [certificate(n)]);
  assert.equal((await store.counts()).platforms, acknowledged.length);
  await store.write(
    Array.from({ length: 5 }, (_, n) => ({ put: "crl", url: `https://crl.example/${n}`, crl: crl(2, 1) })),
  );
  await store.write(wholePlatform(5_000));
  await store.ping();
  await store.close();
});

test("reads answer while a long import is written, and see all of it or nothing", async () => {
  const store = await open(place());
  await store.write(wholePlatform(0));
  const rows = Array.from({ length: 4_000 }, (_, n) => wholePlatform(n + 1)).flat();
  let done = false;
  const writing = store.write(rows).then(() => {
    done = true;
  });
  const seen = new Set<number>();
  let reads = 0;
  while (!done) {
    seen.add((await store.counts()).platforms);
    assert.deepEqual(store.platform(platformKey(0))?.qeId, platformKey(0).qeId);
    reads++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writing;
  assert.ok(reads > 1);
  seen.add((await store.counts()).platforms);
  assert.deepEqual([...seen], seen.size === 1 ? [4_001] : [1, 4_001]);
  await store.close();
});

test("a writer that dies is reported, and neither a write nor readiness hangs", async () => {
  const directory = place();
  // A copy of the file under the writer's feet would be damage; what ends a thread is a failure that nobody catches.
  const deaths: CollateralError[] = [];
  const store = await open(directory, { onDeath: (error: CollateralError) => deaths.push(error) });
  await store.write(wholePlatform(1));
  const pending = store
    .write([{ put: "unknown kind" } as unknown as StoreChange, Symbol.iterator as never])
    .catch((error: unknown) => error);
  assert.ok((await pending) instanceof Error);
  await store.write(wholePlatform(2));
  await store.terminateWriter();
  assert.equal(deaths[0]?.code, "STORE_IO");
  await fails(store.ping(), "STORE_IO");
  await fails(store.write(wholePlatform(3)), "STORE_IO");
  assert.equal((await store.counts()).platforms, 2);
  await store.close();
});

function overwrite(path: string, offset: number, length: number, value = 0xa5): void {
  const bytes = readFileSync(path);
  copyFileSync(path, `${path}.whole`);
  bytes.fill(value, offset, offset + length);
  writeFileSync(path, bytes);
}
