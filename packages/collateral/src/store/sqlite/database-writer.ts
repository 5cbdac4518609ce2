import { statSync } from "node:fs";
import type { Database, Statement } from "better-sqlite3";
import { CollateralError } from "../../errors.ts";
import type { RegistrationState, StoreChange, StoredRegistration } from "../store.ts";
import { changeWriter } from "./changes.ts";
import { storeFailure } from "./failure.ts";

export type WriteJob =
  | { readonly kind: "write"; readonly changes: readonly StoreChange[] }
  | {
      readonly kind: "take";
      readonly states: readonly RegistrationState[];
      /** Of each state; undefined: all. */
      readonly maximumBytes: number | undefined;
    };

export type WriteOutcome = { readonly taken: readonly StoredRegistration[] } | { readonly failure: CollateralError };

/** Of a registration, beside its encrypted PPID and manifest. */
const ROW_BYTES = 512;

/** The connection that writes: several jobs in one transaction, each as a whole or not at all. */
export class DatabaseWriter {
  readonly #database: Database;
  readonly #path: string;
  readonly #file: string;
  readonly #apply: (change: StoreChange) => void;
  readonly #take: Statement<unknown[]>;
  readonly #probe: Statement<unknown[]>;

  constructor(database: Database, path: string) {
    this.#database = database;
    this.#path = path;
    this.#file = identityOf(path);
    this.#apply = changeWriter(database);
    this.#take = database.prepare(
      `UPDATE registration SET state = 'deleted'
       WHERE rowid IN (
         SELECT id FROM (
           SELECT rowid AS id, sum(octet_length(platform_manifest) + octet_length(encrypted_ppid) + ${ROW_BYTES})
             OVER (ORDER BY qe_id, pce_id, cpu_svn, pce_svn ROWS UNBOUNDED PRECEDING) AS bytes
           FROM registration WHERE state = ?)
         WHERE bytes <= ?)
       RETURNING qe_id AS qeId, pce_id AS pceId, cpu_svn AS cpuSvn, pce_svn AS pceSvn,
         encrypted_ppid AS encryptedPpid, platform_manifest AS platformManifest`,
    );
    this.#probe = database.prepare("INSERT INTO probe VALUES (1, 0) ON CONFLICT DO UPDATE SET turn = turn + 1");
  }

  /** One commit for all jobs: what comes back is durable, or failed and left nothing. In the order of the jobs. */
  run(jobs: readonly WriteJob[]): WriteOutcome[] {
    try {
      this.#refuseOtherFile();
      this.#database.exec("BEGIN IMMEDIATE");
      const outcomes = jobs.map((job) => this.#runOne(job));
      this.#database.exec("COMMIT");
      return outcomes;
    } catch (error) {
      const failure = storeFailure(error, this.#path);
      this.#rollback();
      return jobs.map(() => ({ failure }));
    }
  }

  /** Fails with CollateralError where a write would. */
  probe(): void {
    try {
      this.#refuseOtherFile();
      this.#probe.run();
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
  }

  /** What is written to a file that has lost its name is gone with the process: it must not be acknowledged. */
  #refuseOtherFile(): void {
    if (identityOf(this.#path) === this.#file) return;
    throw new CollateralError(
      "STORE_IO",
      `${this.#path} was removed or replaced under the running service: restart it`,
    );
  }

  /** A failed job is undone alone, unless SQLite has ended the transaction by itself (full disk, I/O error). */
  #runOne(job: WriteJob): WriteOutcome {
    this.#database.exec("SAVEPOINT job");
    try {
      const taken = job.kind === "take" ? this.#takeAll(job.states, job.maximumBytes) : [];
      if (job.kind === "write") for (const change of job.changes) this.#apply(change);
      this.#database.exec("RELEASE job");
      return { taken };
    } catch (error) {
      const failure = storeFailure(error, this.#path);
      if (!this.#database.inTransaction || failure.code !== "STORE_IO") throw failure;
      this.#database.exec("ROLLBACK TO job; RELEASE job");
      return { failure };
    }
  }

  #takeAll(states: readonly RegistrationState[], maximumBytes = Number.MAX_SAFE_INTEGER): StoredRegistration[] {
    const taken = [...new Set(states)]
      // Those that are deleted already stay so: there is nothing to hand over.
      .filter((state) => state !== "deleted")
      .flatMap((state) =>
        (this.#take.all(state, maximumBytes) as Omit<StoredRegistration, "state">[]).map((row) => ({ ...row, state })),
      );
    return taken.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  #rollback(): void {
    if (!this.#database.inTransaction) return;
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // The failure that led here is the one to report; SQLite rolls back when the file is opened next.
    }
  }
}

/** Which file it is; "" where there is none. */
function identityOf(path: string): string {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts === undefined ? "" : `${facts.dev}/${facts.ino}`;
}

function order({ qeId, pceId, cpuSvn, pceSvn }: StoredRegistration): string {
  return `${qeId}/${pceId}/${cpuSvn}/${pceSvn}`;
}
