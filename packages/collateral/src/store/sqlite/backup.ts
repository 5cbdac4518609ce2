import { chmodSync, closeSync, existsSync, linkSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { CollateralError } from "../../errors.ts";
import { syncFile, takeLock } from "./database.ts";
import { storeFailure } from "./failure.ts";
import { makeStoreFiles, storeFiles } from "./files.ts";
import { schemaVersion } from "./schema.ts";

const SQLITE_FILES = ["", "-wal", "-shm"];

/** Has a copy made under another name first: `path` is a whole backup or not there. Fails with STORE_IO if it exists. */
export async function newBackup(path: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    if (existsSync(path)) throw new CollateralError("STORE_IO", `${path} exists: a backup is a new file`);
    rmSync(unfinished, { force: true });
    closeSync(openSync(unfinished, "wx", 0o600));
    await make(unfinished);
    syncFile(unfinished);
    // Unlike a rename, a link does not replace what somebody has put there meanwhile.
    linkSync(unfinished, path);
    syncFile(dirname(path));
  } catch (error) {
    throw storeFailure(error, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** One statement, one snapshot: whatever other processes write meanwhile. */
export function copyDatabase(database: Database, path: string): void {
  database.prepare("VACUUM INTO ?").run(path);
}

export interface Restored {
  /** Its path. */
  readonly database: string;
  /** Where the database that was there is now. */
  readonly movedTo: string | undefined;
}

/**
 * Puts a backup into a state directory that no service uses. A database that is there is refused (STORE_IO) unless `replace`
 * is given, and then moved aside, never deleted. The backup is checked as a whole before: STORE_DAMAGED, STORE_VERSION.
 */
export function restoreSqliteStore(
  directory: string,
  backup: string,
  options: { readonly replace: boolean; readonly busyMs?: number; readonly report?: (line: string) => void },
): Restored {
  withBackup(backup, () => undefined);
  const there = existsSync(storeFiles(directory).database);
  if (there && !options.replace) {
    throw new CollateralError(
      "STORE_IO",
      `${storeFiles(directory).database} exists: it is replaced only when asked to`,
    );
  }
  const files = makeStoreFiles(directory, options.report ?? (() => undefined));
  const lock = takeLock(files.lock, options.busyMs ?? 2_000);
  const unfinished = `${files.database}.restoring`;
  try {
    rmSync(unfinished, { force: true });
    withBackup(backup, (database) => copyDatabase(database, unfinished));
    chmodSync(unfinished, 0o600);
    syncFile(unfinished);
    const movedTo = there ? moveAside(files.database) : undefined;
    renameSync(unfinished, files.database);
    syncFile(directory);
    return { database: files.database, movedTo };
  } catch (error) {
    throw storeFailure(error, files.database);
  } finally {
    rmSync(unfinished, { force: true });
    lock.close();
  }
}

/** Opened, so that what is still in a write-ahead log beside it belongs to it; checked as a whole. */
function withBackup(path: string, work: (database: Database) => void): void {
  let database: Database | undefined;
  try {
    database = new Sqlite(path, { readonly: true, fileMustExist: true });
    if (schemaVersion(database, path) === 0) throw new CollateralError("STORE_DAMAGED", `${path} is empty`);
    const words = database.pragma("integrity_check(1)", { simple: true });
    if (words !== "ok") throw new CollateralError("STORE_DAMAGED", `${path}: ${String(words)}`);
    work(database);
  } catch (error) {
    throw storeFailure(error, path);
  } finally {
    database?.close();
  }
}

/** Under the first free name: `pccs.db.replaced-1`, with what belongs to it. */
function moveAside(path: string): string {
  for (let number = 1; ; number++) {
    const name = `${path}.replaced-${number}`;
    if (SQLITE_FILES.some((suffix) => existsSync(`${name}${suffix}`))) continue;
    for (const suffix of SQLITE_FILES) {
      if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${name}${suffix}`);
    }
    return name;
  }
}
