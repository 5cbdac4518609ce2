import { CollateralError } from "../../errors.ts";
import type { Queries } from "./connections.ts";
import type { Migration } from "./migrations.ts";
import { MIGRATION_LOCK_CLASS } from "./write-locks.ts";

/** Which versions of the program may use the database as it is now. */
export interface SchemaVersion {
  readonly version: number;
  readonly minReader: number;
  readonly minWriter: number;
}

/** In the version's own table, one row. A transaction that reads it keeps a migration away until it ends. */
export const SELECT_VERSION = {
  name: "schema-version",
  text: `SELECT version, min_reader AS "minReader", min_writer AS "minWriter" FROM confcom.schema_version`,
};

/** Channel on which replicas hear of migrations and changes. */
export const CHANGE_CHANNEL = "confcom_change";

/** The version of a program that knows these steps. */
export function programVersion(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.version ?? 0;
}

/** Undefined: there is no schema yet. */
export async function readVersion(queries: Queries): Promise<SchemaVersion | undefined> {
  // As a table is read: to_regclass answers from a cache that waiting for an advisory lock does not bring up to date.
  const [found] = await queries.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'confcom' AND c.relname = 'schema_version') AS there`,
  );
  return found?.there === true ? (await queries.query<SchemaVersion>(SELECT_VERSION))[0] : undefined;
}

/** Fails with STORE_VERSION when a program of version `own` must not use the database. */
export function checkVersion(found: SchemaVersion | undefined, own: number, name: string): void {
  const refuse = (reason: string) => new CollateralError("STORE_VERSION", `${name}: ${reason}`);
  if (found === undefined || found.version < own) {
    const has = found === undefined ? "has no schema" : `has schema version ${found.version}`;
    throw refuse(`it ${has}, this program needs ${own}; a start of this program migrates it`);
  }
  const oldest = Math.max(found.minReader, found.minWriter);
  if (oldest > own) {
    throw refuse(
      `its schema version ${found.version} needs a program of version ${oldest}, this one has ${own}; update it`,
    );
  }
}

/**
 * Takes the steps that are missing, each in a transaction of its own; of replicas that start together one does it and the
 * others wait. Call in a transaction's place: on a connection that nobody else uses.
 */
export async function migrate(queries: Queries, migrations: readonly Migration[]): Promise<void> {
  for (const step of migrations) {
    await queries.query("BEGIN");
    try {
      await queries.query("SELECT pg_advisory_xact_lock($1, 0)", [MIGRATION_LOCK_CLASS]);
      const found = await readVersion(queries);
      if (found === undefined) await createVersionTable(queries);
      if ((found?.version ?? 0) < step.version) await take(queries, step);
      await queries.query("COMMIT");
    } catch (error) {
      // The error that ended it says more than that of a rollback on a lost connection.
      await queries.query("ROLLBACK").catch(() => undefined);
      throw error;
    }
  }
}

async function createVersionTable(queries: Queries): Promise<void> {
  await queries.query("CREATE SCHEMA IF NOT EXISTS confcom");
  await queries.query(
    `CREATE TABLE confcom.schema_version (
       only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
       version integer NOT NULL, min_reader integer NOT NULL, min_writer integer NOT NULL)`,
  );
  await queries.query("INSERT INTO confcom.schema_version (version, min_reader, min_writer) VALUES (0, 0, 0)");
}

/** Waits for transactions that write, and keeps new ones waiting until it is done: a few milliseconds. */
async function take(queries: Queries, { version, minReader, minWriter, statements }: Migration): Promise<void> {
  await queries.query("LOCK TABLE confcom.schema_version IN ACCESS EXCLUSIVE MODE");
  for (const statement of statements) await queries.query(statement);
  await queries.query("UPDATE confcom.schema_version SET version = $1, min_reader = $2, min_writer = $3", [
    version,
    minReader,
    minWriter,
  ]);
  await queries.query("SELECT pg_notify($1, $2)", [CHANGE_CHANNEL, JSON.stringify({ schema: version })]);
}
