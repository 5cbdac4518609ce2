/**
 * One step of the schema. Steps only add (expand); what no replica in use needs any more goes in a later step (contract),
 * which raises `minReader` or `minWriter`. So replicas of two versions run side by side while they are replaced.
 */
export interface Migration {
  readonly version: number;
  /** The oldest program version that reads this schema rightly, and the oldest that writes it rightly. */
  readonly minReader: number;
  readonly minWriter: number;
  /** Run in one transaction. Short: no rewriting of tables. */
  readonly statements: readonly string[];
}

/**
 * Texts sort by their bytes (`COLLATE "C"`), as in SQLite, whatever the database's locale. Times are milliseconds since
 * 1970, except a lease's, which is by the database's clock. There are no foreign keys: as in Intel's cache a platform's
 * rows are independent, and rows of one platform are written under one lock (`write-locks.ts`).
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    minReader: 1,
    minWriter: 1,
    statements: [
      `CREATE TABLE confcom.platform (
         qe_id text COLLATE "C" NOT NULL, pce_id text COLLATE "C" NOT NULL,
         platform_manifest text NOT NULL, encrypted_ppid text NOT NULL,
         fmspc text COLLATE "C" NOT NULL, ca text NOT NULL,
         PRIMARY KEY (qe_id, pce_id))`,
      `CREATE INDEX platform_fmspc ON confcom.platform (fmspc, qe_id, pce_id)`,
      `CREATE TABLE confcom.platform_tcb (
         qe_id text COLLATE "C" NOT NULL, pce_id text COLLATE "C" NOT NULL,
         cpu_svn text COLLATE "C" NOT NULL, pce_svn text COLLATE "C" NOT NULL,
         tcbm text COLLATE "C" NOT NULL,
         PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn))`,
      `CREATE TABLE confcom.pck_certificate (
         qe_id text COLLATE "C" NOT NULL, pce_id text COLLATE "C" NOT NULL, tcbm text COLLATE "C" NOT NULL,
         certificate text NOT NULL,
         PRIMARY KEY (qe_id, pce_id, tcbm))`,
      `CREATE TABLE confcom.pck_chain (ca text COLLATE "C" PRIMARY KEY, issuer_chain text NOT NULL)`,
      // name: pck/processor, pck/platform, root, or url/ and a digest: an index holds no key over 2,700 bytes.
      `CREATE TABLE confcom.crl (
         name text COLLATE "C" PRIMARY KEY, url text NOT NULL, crl bytea NOT NULL, issuer_chain text NOT NULL,
         issued bigint NOT NULL, next_update bigint NOT NULL)`,
      `CREATE TABLE confcom.tcb_info (
         tee text COLLATE "C" NOT NULL, fmspc text COLLATE "C" NOT NULL, version integer NOT NULL,
         tcb_update text COLLATE "C" NOT NULL,
         body text NOT NULL, issuer_chain text NOT NULL, issued bigint NOT NULL, next_update bigint NOT NULL,
         PRIMARY KEY (tee, fmspc, version, tcb_update))`,
      `CREATE TABLE confcom.identity (
         id text COLLATE "C" NOT NULL, version integer NOT NULL, tcb_update text COLLATE "C" NOT NULL,
         body text NOT NULL, issuer_chain text NOT NULL, issued bigint NOT NULL, next_update bigint NOT NULL,
         PRIMARY KEY (id, version, tcb_update))`,
      `CREATE TABLE confcom.registration (
         qe_id text COLLATE "C" NOT NULL, pce_id text COLLATE "C" NOT NULL,
         cpu_svn text COLLATE "C" NOT NULL, pce_svn text COLLATE "C" NOT NULL,
         encrypted_ppid text NOT NULL, platform_manifest text NOT NULL, state text COLLATE "C" NOT NULL,
         PRIMARY KEY (qe_id, pce_id, cpu_svn, pce_svn))`,
      `CREATE INDEX registration_waiting ON confcom.registration (state, qe_id, pce_id, cpu_svn, pce_svn)
         WHERE state <> 'deleted'`,
      `CREATE TABLE confcom.policy (
         id text COLLATE "C" PRIMARY KEY, type integer NOT NULL, policy text NOT NULL,
         is_default boolean NOT NULL, fmspc text COLLATE "C" NOT NULL)`,
      `CREATE INDEX policy_fmspc ON confcom.policy (fmspc)`,
      `CREATE TABLE confcom.lease (
         key text COLLATE "C" PRIMARY KEY, owner text NOT NULL, expires timestamptz NOT NULL)`,
      `CREATE INDEX lease_owner ON confcom.lease (owner)`,
    ],
  },
];
