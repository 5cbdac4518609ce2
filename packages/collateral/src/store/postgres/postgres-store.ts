import type { ClientConfig } from "pg";
import type { Clock, Random } from "../../clock.ts";
import { CollateralError } from "../../errors.ts";
import type { CertificationCa } from "../../request.ts";
import { ChangeListeners } from "../change-listeners.ts";
import type {
  ChangeListener,
  CollateralStore,
  IdentityKey,
  PlatformKey,
  RawTcbKey,
  RegistrationState,
  StoreChange,
  StoredRegistration,
  TcbInfoKey,
} from "../store.ts";
import { batchOf, PCK_CRL, ROOT_CA_CRL, urlCrl } from "./batch.ts";
import { decodeChange, encodeChange } from "./change-message.ts";
import { Connections, type Queries, type Statement } from "./connections.ts";
import { storeFailure } from "./failures.ts";
import { Listener } from "./listener.ts";
import type { Migration } from "./migrations.ts";
import { LEASE_CHANNEL, PostgresLeases } from "./postgres-leases.ts";
import { Reads } from "./reads.ts";
import { changesOf } from "./remote-changes.ts";
import { CHANGE_CHANNEL, checkVersion, programVersion, type readVersion, SELECT_VERSION } from "./schema-version.ts";
import { notifyOfChange, takeRegistrations, writeBatch } from "./writes.ts";

export interface PostgresStoreOptions {
  /** `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`: see {@link parseDatabaseUrl}. */
  readonly url: string;
  /** Names this replica, for whoever looks at the leases' rows. 1 to 200 characters. */
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told when the server is lost and found again: one line each, without secrets. */
  readonly report: (line: string) => void;
  /** Reads a PEM file that the URL names. */
  readonly readTextFile: (path: string) => Promise<string>;
  /** The password, read anew for every connection; over the URL's. */
  readonly password?: () => Promise<string>;
  /** Connections at most, beside one that listens. 8 unless told. */
  readonly poolSize?: number;
  /** Operations at most that run or wait; beyond it STORE_BUSY. 16,384 unless told. */
  readonly maxPending?: number;
  /** Milliseconds for which an operation waits for a connection. 5,000 unless told. */
  readonly connectTimeoutMs?: number;
  /** The schema's steps that this program knows: for tests. */
  readonly migrations?: readonly Migration[];
}

/** Others' changes that wait to be read. */
const MAX_UNTOLD = 64;
// Weaker than `on` is not durable; `remote_apply` and `remote_write` are their owner's choice.
const SYNCHRONOUS_COMMIT = `SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') IN ('off', 'local')`;

/** Of several replicas, on a server of theirs: reads and writes over a pool, and one connection that hears of the others. */
export class PostgresStore implements CollateralStore {
  readonly name: string;
  readonly leases: PostgresLeases;
  readonly #options: PostgresStoreOptions & { readonly migrations: readonly Migration[] };
  readonly #instance: string;
  readonly #connections: Connections;
  readonly #listener: Listener;
  readonly #reads: Reads;
  readonly #listeners: ChangeListeners;
  /** Others' changes are told in the order in which they were made. */
  #telling: Promise<void> = Promise.resolve();
  #untold = 0;
  /** Set once the database was migrated beyond what this program can read. */
  #refusal: CollateralError | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    name: string,
    instance: string,
    config: ClientConfig,
    options: PostgresStoreOptions & { readonly connectTimeoutMs: number; readonly migrations: readonly Migration[] },
  ) {
    const { clock, random, connectTimeoutMs, poolSize = 8, maxPending = 16_384, owner, report } = options;
    this.name = name;
    this.#listeners = new ChangeListeners(name, report);
    this.#options = options;
    this.#instance = instance;
    const prepare = (queries: Queries) => this.#prepare(queries);
    this.#connections = new Connections({
      name,
      config,
      poolSize,
      maxPending,
      connectTimeoutMs,
      prepare,
      clock,
      random,
    });
    this.#reads = new Reads((statement: Statement, values?: unknown[]) => this.#read(statement, values));
    this.#listener = new Listener({
      config,
      channels: [CHANGE_CHANNEL, LEASE_CHANNEL],
      prepare,
      onNotification: (channel, payload) => this.#hear(channel, payload),
      onLost: (error) => report(storeFailure(name, "the connection that listens was lost", error).message),
      onRegained: () => {
        report(`${name}: connected again`);
        this.leases.onRegained();
        this.#listeners.tell(undefined);
      },
      clock,
      random,
    });
    this.leases = new PostgresLeases({
      owner: `${owner} ${instance}`,
      connections: this.#connections,
      listening: () => this.#listener.listening,
      clock,
      random,
    });
  }

  async start(): Promise<void> {
    try {
      await this.#listener.start();
    } catch (error) {
      throw storeFailure(this.name, "listen", error);
    }
  }

  pckAnswer = (key: RawTcbKey) => this.#reads.pckAnswer(key);
  platform = (key: PlatformKey) => this.#reads.platform(key);
  pckCertificates = (key: PlatformKey) => this.#reads.pckCertificates(key);
  pckChain = (ca: CertificationCa) => this.#reads.pckChain(ca);
  pckCrl = (ca: CertificationCa) => this.#reads.crl(PCK_CRL[ca]);
  rootCaCrl = () => this.#reads.crl(ROOT_CA_CRL);
  crl = (url: string) => this.#reads.crl(urlCrl(url));
  tcbInfo = (key: TcbInfoKey) => this.#reads.tcbInfo(key);
  identity = (key: IdentityKey) => this.#reads.identity(key);
  policies = (fmspc: string) => this.#reads.policies(fmspc);
  registrations = (states: readonly RegistrationState[], limit: number) => this.#reads.registrations(states, limit);
  platforms = (fmspcs: readonly string[] | undefined, after: PlatformKey | undefined, limit: number) =>
    this.#reads.platforms(fmspcs, after, limit);
  rawTcbs = (key: PlatformKey) => this.#reads.rawTcbs(key);
  tcbInfoKeys = () => this.#reads.tcbInfoKeys();
  identityKeys = () => this.#reads.identityKeys();
  crlUrls = () => this.#reads.crlUrls();
  counts = () => this.#reads.counts();

  async write(changes: readonly StoreChange[]): Promise<void> {
    if (changes.length === 0) return;
    const batch = batchOf(changes);
    const message = encodeChange(this.#instance, changes, urlCrl);
    await this.#connections.transaction("write", async (queries) => {
      await this.#checkVersion(queries);
      await writeBatch(queries, batch);
      await notifyOfChange(queries, message);
    });
    this.#listeners.tell(changes);
  }

  async takeRegistrations(
    states: readonly RegistrationState[],
    maximumBytes?: number,
  ): Promise<readonly StoredRegistration[]> {
    const { taken, changes } = await this.#connections.certainTransaction("takeRegistrations", async (queries) => {
      await this.#checkVersion(queries);
      const taken = await takeRegistrations(queries, states, maximumBytes);
      const changes = taken.map(
        (registration) => ({ put: "registration", registration: { ...registration, state: "deleted" } }) as const,
      );
      if (taken.length > 0) await notifyOfChange(queries, encodeChange(this.#instance, changes, urlCrl));
      return { taken, changes };
    });
    if (changes.length > 0) this.#listeners.tell(changes);
    return taken;
  }

  onChange(listener: ChangeListener): () => void {
    return this.#listeners.add(listener);
  }

  async backup(path: string): Promise<void> {
    throw new CollateralError(
      "STORE_IO",
      `${this.name}: no backup to ${path}: PostgreSQL has its own means; use pg_dump --schema=confcom`,
    );
  }

  async ping(): Promise<void> {
    const [state] = await this.#read<{ standby: boolean }>({
      name: "ping",
      text: "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS standby",
    });
    if (state?.standby !== false) throw new CollateralError("STORE_IO", `${this.name}: it is a standby, or read-only`);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#listeners.clear();
    await this.leases.close();
    await this.#connections.close();
    await this.#listener.close();
  }

  async #read<Row extends object>(statement: Statement, values?: unknown[]): Promise<readonly Row[]> {
    if (this.#refusal !== undefined) throw this.#refusal;
    return this.#connections.read<Row>(statement, values);
  }

  async #prepare(queries: Queries): Promise<void> {
    await queries.query(SYNCHRONOUS_COMMIT);
    await this.#checkVersion(queries);
    this.#refusal = undefined;
  }

  async #checkVersion(queries: Queries): Promise<void> {
    const [found] = await queries.query<NonNullable<Awaited<ReturnType<typeof readVersion>>>>(SELECT_VERSION);
    checkVersion(found, programVersion(this.#options.migrations), this.name);
  }

  #hear(channel: string, payload: string): void {
    if (channel === LEASE_CHANNEL) {
      this.leases.onReleased(payload);
      return;
    }
    const message = decodeChange(payload);
    if (message !== undefined && "schema" in message) {
      void this.#onMigrated();
      return;
    }
    if (message?.instance === this.#instance || this.#listeners.size === 0) return;
    // Reading what changed falls behind: anything may have changed is said at once, and as true.
    const things = this.#untold < MAX_UNTOLD ? message?.things : undefined;
    this.#untold++;
    this.#telling = this.#telling
      .then(async () => this.#listeners.tell(things === undefined ? undefined : await changesOf(things, this.#reads)))
      .catch(() => this.#listeners.tell(undefined))
      .finally(() => this.#untold--);
  }

  /** Writes check for themselves, in their transaction; reads go by this. */
  async #onMigrated(): Promise<void> {
    try {
      await this.#connections.transaction("schema-version", (queries) => this.#checkVersion(queries));
    } catch (error) {
      if (!(error instanceof CollateralError) || error.code !== "STORE_VERSION") return;
      this.#refusal = error;
      this.#options.report(error.message);
    }
    this.#listeners.tell(undefined);
  }
}
