import type { Clock } from "../../clock.ts";
import type { CollateralError } from "../../errors.ts";
import { MemoryLeases } from "../memory-leases.ts";
import { openForReading } from "./database.ts";
import { storeFailure } from "./failure.ts";
import { storeFiles } from "./files.ts";
import { DatabaseReader } from "./reader.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { WritingThread } from "./writing-thread.ts";

export interface SqliteStoreOptions {
  /** The state directory: made if it is not there (0700). Only one process writes it. */
  readonly directory: string;
  readonly clock: Clock;
  /** How long another process's lock is waited for before STORE_BUSY, milliseconds. */
  readonly busyMs?: number;
  /** The database never grows beyond this many bytes: then STORE_FULL, until something was dropped. */
  readonly maximumBytes?: number;
  /** Only reads, beside the process that writes: every write fails with STORE_IO. */
  readonly readOnly?: boolean;
  /** The thread that writes has ended unasked: nothing can be written any more, and `ping` fails. */
  readonly onDeath?: (error: CollateralError) => void;
  /** Told of permissions that were too wide and have been taken away. */
  readonly report?: (line: string) => void;
}

const BUSY_MS = 2_000;

/** Fails with STORE_BUSY, STORE_DAMAGED (the file is left as it is), STORE_VERSION, STORE_FULL, STORE_IO, or SERVICE_CONFIGURATION for a directory that will not do. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { directory, clock, report = () => undefined } = options;
  const path = storeFiles(directory).database;
  const settings = { directory, busyMs: options.busyMs ?? BUSY_MS, maximumBytes: options.maximumBytes };
  const writer = options.readOnly
    ? undefined
    : await WritingThread.start(settings, path, (error) => options.onDeath?.(error), report);
  try {
    const database = openForReading(path);
    const reader = new DatabaseReader(database, path);
    return new SqliteStore({ path, database, reader, writer, leases: new MemoryLeases(clock), report });
  } catch (error) {
    await writer?.close();
    throw storeFailure(error, path);
  }
}
