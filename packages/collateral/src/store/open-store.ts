import type { Clock, Random } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import type { CollateralStore } from "./store.ts";

export interface OpenStoreOptions {
  /** `postgres://` or `postgresql://`; left out: SQLite in the state directory. */
  readonly database?: string;
  readonly stateDirectory: string;
  /** This process among all that use the database; 1 to 200 characters. */
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Only reads: of SQLite beside the service that has it open. */
  readonly readOnly?: boolean;
  /** SQLite never grows beyond this: STORE_FULL. */
  readonly maximumBytes?: number;
  /** The store has ended unasked: nothing can be written any more, and `ping` fails. */
  readonly onDeath?: (error: CollateralError) => void;
  /** Told of what an operator should know, without secrets: PostgreSQL lost and found again, permissions that were too wide. */
  readonly report?: (line: string) => void;
}

/** The store that the options name. Fails with CollateralError STORE_* or SERVICE_CONFIGURATION; loads only what it needs. */
export async function openStore(options: OpenStoreOptions): Promise<CollateralStore> {
  const { database, stateDirectory, owner, clock, random, readOnly = false, maximumBytes, onDeath } = options;
  if (database === undefined) {
    const { openSqliteStore } = await import("./sqlite/index.ts");
    return openSqliteStore({
      directory: stateDirectory,
      clock,
      readOnly,
      ...(maximumBytes === undefined ? {} : { maximumBytes }),
      ...(onDeath === undefined ? {} : { onDeath }),
      ...(options.report === undefined ? {} : { report: options.report }),
    });
  }
  if (!/^postgres(ql)?:\/\//.test(database)) {
    // Not the URL itself: it may carry a password.
    throw new CollateralError("SERVICE_CONFIGURATION", "the database is no postgres:// URL");
  }
  const { openPostgresStore } = await import("./postgres/index.ts");
  const { readFile } = await import("node:fs/promises");
  return openPostgresStore({
    url: database,
    owner,
    clock,
    random,
    report: options.report ?? (() => undefined),
    readTextFile: (path) => readFile(path, "utf8"),
  });
}
