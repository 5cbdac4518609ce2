import type { RegistrationState, StoredRegistration } from "../store.ts";
import type { Batch } from "./batch.ts";
import type { Queries, Statement } from "./connections.ts";
import { REGISTRATION_COLUMNS } from "./reads.ts";
import { CHANGE_CHANNEL } from "./schema-version.ts";
import { type Row, TABLE_NAMES, TABLES, type TableName, upsertText, upsertValues } from "./tables.ts";
import { WRITE_LOCK_CLASS, writeLocks } from "./write-locks.ts";

/** What the transactions that change something do. */

/** Rows in one statement: enough that its round trip does not count, few enough that its text stays small. */
const ROWS_AT_ONCE = 2_000;

// A function's rows come in their order, so the locks are taken in it.
const LOCK: Statement = {
  name: "write-locks",
  text: "SELECT pg_advisory_xact_lock($1, l) FROM unnest($2::integer[]) AS l",
};
const NOTIFY: Statement = { name: "notify", text: "SELECT pg_notify($1, $2)" };
const DROPS: readonly Statement[] = ["pck_certificate", "platform_tcb"].map((table) => ({
  name: `drop-${table}`,
  text: `DELETE FROM confcom.${table} t USING unnest($1::text[], $2::text[]) AS d (qe_id, pce_id)
         WHERE t.qe_id = d.qe_id AND t.pce_id = d.pce_id`,
}));
const FORMER_DEFAULTS: Statement = {
  name: "former-defaults",
  text: `UPDATE confcom.policy p SET is_default = false FROM unnest($1::text[], $2::text[]) AS d (fmspc, id)
         WHERE p.fmspc = d.fmspc AND p.is_default AND p.id <> d.id`,
};
const UPSERTS = Object.fromEntries(
  TABLE_NAMES.map((name) => [name, { name: `put-${name}`, text: upsertText(TABLES[name]) }]),
) as Record<TableName, Statement>;
/** Of a registration, beside its encrypted PPID and manifest. */
const ROW_BYTES = 512;
/** Rows that another transaction holds are passed over: they are being taken, or written and there for the next. */
const TAKE: Statement = {
  name: "take-registrations",
  text: `WITH counted AS (
           SELECT qe_id, pce_id, cpu_svn, pce_svn, sum(octet_length(platform_manifest) + octet_length(encrypted_ppid) + ${ROW_BYTES})
             OVER (PARTITION BY state ORDER BY qe_id, pce_id, cpu_svn, pce_svn ROWS UNBOUNDED PRECEDING) AS bytes
           FROM confcom.registration WHERE state = ANY($1::text[]) AND state <> 'deleted'),
         taken AS MATERIALIZED (
           SELECT r.* FROM confcom.registration r JOIN counted c USING (qe_id, pce_id, cpu_svn, pce_svn)
           WHERE c.bytes <= $2 AND r.state = ANY($1::text[]) AND r.state <> 'deleted'
           ORDER BY qe_id, pce_id, cpu_svn, pce_svn FOR UPDATE OF r SKIP LOCKED),
         marked AS (
           UPDATE confcom.registration r SET state = 'deleted' FROM taken t
           WHERE (r.qe_id, r.pce_id, r.cpu_svn, r.pce_svn) = (t.qe_id, t.pce_id, t.cpu_svn, t.pce_svn))
         SELECT ${REGISTRATION_COLUMNS} FROM taken ORDER BY qe_id, pce_id, cpu_svn, pce_svn`,
};

export async function writeBatch(queries: Queries, { drops, defaults, rows, lockKeys }: Batch): Promise<void> {
  await queries.query(LOCK, [WRITE_LOCK_CLASS, writeLocks(lockKeys)]);
  if (drops.length > 0) {
    const keys = [drops.map(({ qeId }) => qeId), drops.map(({ pceId }) => pceId)];
    for (const drop of DROPS) await queries.query(drop, keys);
  }
  if (defaults.length > 0) {
    await queries.query(FORMER_DEFAULTS, [defaults.map(([fmspc]) => fmspc), defaults.map(([, id]) => id)]);
  }
  for (const { table, rows: all } of rows) {
    for (let start = 0; start < all.length; start += ROWS_AT_ONCE) {
      const some: readonly Row[] = all.slice(start, start + ROWS_AT_ONCE);
      await queries.query(UPSERTS[table], upsertValues(TABLES[table], some));
    }
  }
}

/** As they were before, in the order of their keys. */
export async function takeRegistrations(
  queries: Queries,
  states: readonly RegistrationState[],
  maximumBytes: number = Number.MAX_SAFE_INTEGER,
): Promise<readonly StoredRegistration[]> {
  return queries.query<StoredRegistration>(TAKE, [states, maximumBytes]);
}

export async function notifyOfChange(queries: Queries, message: string): Promise<void> {
  await queries.query(NOTIFY, [CHANGE_CHANNEL, message]);
}
