import type { Database } from "better-sqlite3";
import { CollateralError } from "../../errors.ts";

/** "CCPC": tells this database from anybody else's, such as Intel's. */
export const APPLICATION_ID = 0x43435043;
/** Bytes. Certificates of 1.8 kB fit beside each other. */
export const PAGE_SIZE = 8192;

/**
 * What each version adds to the one before; the number is SQLite's user_version. A step is never changed once released.
 * `checksum` is a CRC-32 of what is served: a bit that flips on the disk must not reach a client, and SQLite has no such check.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE platform (
    qe_id TEXT NOT NULL, pce_id TEXT NOT NULL, fmspc TEXT NOT NULL, ca TEXT NOT NULL,
    encrypted_ppid TEXT NOT NULL, platform_manifest TEXT NOT NULL,
    PRIMARY KEY (qe_id, pce_id)) STRICT;
  CREATE INDEX platform_fmspc ON platform (fmspc, qe_id, pce_id);
  CREATE TABLE platform_tcb (
    qe_id TEXT NOT NULL, pce_id TEXT NOT NULL, cpu_svn TEXT NOT NULL, pce_svn TEXT NOT NULL, tcbm TEXT NOT NULL,
    PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn)) STRICT, WITHOUT ROWID;
  CREATE TABLE pck_certificate (
    qe_id TEXT NOT NULL, pce_id TEXT NOT NULL, tcbm TEXT NOT NULL, certificate TEXT NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (qe_id, pce_id, tcbm)) STRICT;
  CREATE TABLE pck_chain (
    ca TEXT NOT NULL PRIMARY KEY, issuer_chain TEXT NOT NULL) STRICT;
  CREATE TABLE crl (
    kind TEXT NOT NULL, name TEXT NOT NULL, crl BLOB NOT NULL, issuer_chain TEXT NOT NULL,
    issued INTEGER NOT NULL, next_update INTEGER NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (kind, name)) STRICT;
  CREATE TABLE tcb_info (
    tee TEXT NOT NULL, fmspc TEXT NOT NULL, version INTEGER NOT NULL, update_type TEXT NOT NULL,
    body TEXT NOT NULL, issuer_chain TEXT NOT NULL,
    issued INTEGER NOT NULL, next_update INTEGER NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (tee, fmspc, version, update_type)) STRICT;
  CREATE TABLE identity (
    id TEXT NOT NULL, version INTEGER NOT NULL, update_type TEXT NOT NULL,
    body TEXT NOT NULL, issuer_chain TEXT NOT NULL,
    issued INTEGER NOT NULL, next_update INTEGER NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (id, version, update_type)) STRICT;
  CREATE TABLE registration (
    qe_id TEXT NOT NULL, pce_id TEXT NOT NULL, cpu_svn TEXT NOT NULL, pce_svn TEXT NOT NULL,
    encrypted_ppid TEXT NOT NULL, platform_manifest TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn)) STRICT;
  CREATE INDEX registration_state ON registration (state);
  CREATE TABLE policy (
    id TEXT NOT NULL PRIMARY KEY, type INTEGER NOT NULL, policy TEXT NOT NULL, is_default INTEGER NOT NULL,
    fmspc TEXT NOT NULL) STRICT;
  CREATE INDEX policy_fmspc ON policy (fmspc);
  -- One row that is written to learn whether writes are possible again.
  CREATE TABLE probe (id INTEGER PRIMARY KEY, turn INTEGER NOT NULL) STRICT;
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Whose database it is and of which version; 0: an empty file. Fails with STORE_VERSION for one of a newer version or of
 * another program.
 */
export function schemaVersion(database: Database, path: string): number {
  const id = database.pragma("application_id", { simple: true });
  const version = Number(database.pragma("user_version", { simple: true }));
  const tables = database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
  if (id === 0 && version === 0 && tables === 0) return 0;
  if (id !== APPLICATION_ID) {
    throw new CollateralError(
      "STORE_VERSION",
      `${path} is a database of another program; one of Intel's PCCS is read with confcom pccs migrate`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new CollateralError(
      "STORE_VERSION",
      `${path} has schema version ${version}, this program knows ${SCHEMA_VERSION}: use the newer program, or restore a backup from before`,
    );
  }
  return version;
}

/** Brings the database to this version, all steps or none. */
export function migrate(database: Database, path: string): void {
  const step = database.transaction(() => {
    for (let version = schemaVersion(database, path); version < SCHEMA_VERSION; version++) {
      database.exec(MIGRATIONS[version] as string);
      database.pragma(`application_id = ${APPLICATION_ID}`);
      database.pragma(`user_version = ${version + 1}`);
    }
  });
  if (schemaVersion(database, path) < SCHEMA_VERSION) step.immediate();
}
