import { chmodSync, closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CollateralError } from "../../errors.ts";
import { storeFailure } from "./failure.ts";

const DATABASE_FILE = "pccs.db";
/** An empty database that is only ever locked: the lock goes with the process, however it ends. */
const LOCK_FILE = "pccs.lock";
const NOT_THROUGH_A_LINK = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
const OTHERS_MAY_WRITE = 0o022;
const OTHERS_MAY_ANYTHING = 0o077;

export interface StoreFiles {
  readonly database: string;
  readonly lock: string;
}

export function storeFiles(directory: string): StoreFiles {
  return { database: join(directory, DATABASE_FILE), lock: join(directory, LOCK_FILE) };
}

/**
 * Makes the directory (0700) and the file that is locked (0600) unless they are there; the database is made whole by who holds
 * the lock. The directory must belong to this user and be no link. What others may read or enter is taken from them with a
 * warning; where they may write and something is inside, it is refused (SERVICE_CONFIGURATION): any of it might be theirs.
 */
export function makeStoreFiles(directory: string, warn: (message: string) => void): StoreFiles {
  const files = storeFiles(directory);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    admitDirectory(directory, warn);
    closeSync(openSync(files.lock, NOT_THROUGH_A_LINK, 0o600));
    // SQLite gives its other files the database's mode.
    for (const path of [files.database, files.lock]) if (existsSync(path)) admitFile(path, warn);
  } catch (error) {
    throw storeFailure(error, directory);
  }
  return files;
}

function admitDirectory(path: string, warn: (message: string) => void): void {
  const { uid, mode } = own(path, "directory");
  if ((mode & OTHERS_MAY_ANYTHING) === 0) return;
  if ((mode & OTHERS_MAY_WRITE) !== 0 && readdirSync(path).length > 0) {
    throw refused(
      `${path} has mode ${mode.toString(8)} and is not empty: others than uid ${uid} may have written there`,
    );
  }
  tighten(path, mode, 0o700, warn);
}

function admitFile(path: string, warn: (message: string) => void): void {
  const { mode } = own(path, "file");
  if ((mode & OTHERS_MAY_ANYTHING) !== 0) tighten(path, mode, 0o600, warn);
}

function own(path: string, kind: "directory" | "file"): { readonly uid: number; readonly mode: number } {
  const facts = lstatSync(path);
  if (kind === "directory" ? !facts.isDirectory() : !facts.isFile()) throw refused(`${path} is no ${kind}`);
  const user = process.geteuid?.() ?? facts.uid;
  if (facts.uid !== user) {
    throw refused(
      `${path} belongs to uid ${facts.uid}, this is uid ${user}; a directory inside it, made by this service, would do`,
    );
  }
  return { uid: facts.uid, mode: facts.mode & 0o777 };
}

function tighten(path: string, from: number, to: number, warn: (message: string) => void): void {
  chmodSync(path, to);
  warn(`${path} had mode ${from.toString(8)}; changed to ${to.toString(8)}`);
}

function refused(why: string): CollateralError {
  return new CollateralError("SERVICE_CONFIGURATION", `the state directory: ${why}`);
}
