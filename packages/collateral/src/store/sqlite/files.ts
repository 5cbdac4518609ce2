import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { storeFailure } from "./failure.ts";

export const DATABASE_FILE = "pccs.db";
/** An empty database that is only ever locked: the lock goes with the process, however it ends. */
const LOCK_FILE = "pccs.lock";

export interface StoreFiles {
  readonly database: string;
  readonly lock: string;
}

export function storeFiles(directory: string): StoreFiles {
  return { database: join(directory, DATABASE_FILE), lock: join(directory, LOCK_FILE) };
}

/** Makes directory (0700) and files (0600) unless they are there. SQLite gives its other files the database's mode. */
export function makeStoreFiles(directory: string): StoreFiles {
  const files = storeFiles(directory);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const path of [files.database, files.lock]) closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    throw storeFailure(error, directory);
  }
  return files;
}
