import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { CollateralError } from "../../errors.ts";
import { storeFailure } from "./failure.ts";
import { migrate, PAGE_SIZE, SCHEMA_VERSION, schemaVersion } from "./schema.ts";

/** Databases up to this size are checked page by page when they are opened, which takes tens of milliseconds. */
const CHECKED_BYTES = 32 * 1024 * 1024;

/** Takes the lock of a state directory for as long as the connection is open. Fails with STORE_BUSY after `busyMs`. */
export function takeLock(path: string, busyMs: number): Database {
  let lock: Database | undefined;
  try {
    lock = new Sqlite(path, { timeout: busyMs });
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    throw storeFailure(error, path);
  }
}

/**
 * Makes a database, unless there is one, and only then gives it its name: an empty or half-made file under that name was cut
 * by somebody, and is damage. The caller holds the lock.
 */
export function makeDatabase(path: string): void {
  if (existsSync(path)) return;
  const unfinished = `${path}.new`;
  let database: Database | undefined;
  try {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(`${unfinished}${suffix}`, { force: true });
    closeSync(openSync(unfinished, "wx", 0o600));
    database = new Sqlite(unfinished);
    database.pragma(`page_size = ${PAGE_SIZE}`);
    database.pragma("journal_mode = WAL");
    migrate(database, unfinished);
    database.close();
    syncFile(unfinished);
    renameSync(unfinished, path);
    syncFile(dirname(path));
  } catch (error) {
    database?.close();
    throw storeFailure(error, path);
  }
}

/** The connection that writes. A damaged file is left as it is. */
export function openForWriting(path: string, busyMs: number, maximumBytes: number | undefined): Database {
  let database: Database | undefined;
  try {
    refuseEmpty(path);
    database = new Sqlite(path, { timeout: busyMs, fileMustExist: true });
    // Before anything is written to it: whose is it?
    if (schemaVersion(database, path) === 0) throw empty(path);
    checkPages(database, path);
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.pragma("journal_size_limit = 67108864");
    database.pragma("cache_size = -16384");
    database.pragma("trusted_schema = OFF");
    if (maximumBytes !== undefined) database.pragma(`max_page_count = ${Math.ceil(maximumBytes / PAGE_SIZE)}`);
    migrate(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw storeFailure(error, path);
  }
}

/** A connection that only reads a database of this version. */
export function openForReading(path: string): Database {
  let database: Database | undefined;
  try {
    if (!existsSync(path)) {
      throw new CollateralError(
        "SERVICE_CONFIGURATION",
        `there is no ${path}: no service keeps its data in that directory`,
      );
    }
    refuseEmpty(path);
    database = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 1_000 });
    const version = schemaVersion(database, path);
    if (version === 0) throw empty(path);
    if (version < SCHEMA_VERSION) {
      throw new CollateralError(
        "STORE_VERSION",
        `${path} has schema version ${version}, this program reads ${SCHEMA_VERSION}: let confcom pccs migrate it at its next start`,
      );
    }
    database.pragma("cache_size = -16384");
    database.pragma("trusted_schema = OFF");
    return database;
  } catch (error) {
    database?.close();
    throw storeFailure(error, path);
  }
}

/** Fails with STORE_DAMAGED if a page of a small database does not fit the others. */
function checkPages(database: Database, path: string): void {
  if (statSync(path).size > CHECKED_BYTES) return;
  const words = database.pragma("quick_check(1)", { simple: true });
  if (words !== "ok") throw new CollateralError("STORE_DAMAGED", `${path}: ${String(words)}`);
}

/** SQLite takes a file of no bytes for a new database. */
function refuseEmpty(path: string): void {
  if (statSync(path).size === 0) throw empty(path);
}

function empty(path: string): CollateralError {
  return new CollateralError("STORE_DAMAGED", `${path} is empty, which no database of this program ever is`);
}

export function syncFile(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
