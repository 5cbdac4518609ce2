import type { Database } from "better-sqlite3";
import { CollateralError } from "../../errors.ts";
import type { CertificationCa } from "../../request.ts";
import { ChangeListeners } from "../change-listeners.ts";
import type { MemoryLeases } from "../memory-leases.ts";
import type { PackedChanges } from "../packed-changes.ts";
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
import { copyDatabase, newBackup } from "./backup.ts";
import { storeFailure } from "./failure.ts";
import type { DatabaseReader } from "./reader.ts";
import type { WritingThread } from "./writing-thread.ts";

export interface SqliteParts {
  readonly path: string;
  readonly database: Database;
  readonly reader: DatabaseReader;
  /** Undefined: only for reading, beside the process that writes. */
  readonly writer: WritingThread | undefined;
  readonly leases: MemoryLeases;
  /** Told of what an operator should know. */
  readonly report: (line: string) => void;
}

/** The store in one file: reads on the calling thread, writes in a thread of their own. */
export class SqliteStore implements CollateralStore {
  readonly name: string;
  readonly leases: MemoryLeases;
  readonly #path: string;
  readonly #database: Database;
  readonly #reader: DatabaseReader;
  readonly #writer: WritingThread | undefined;
  readonly #listeners: ChangeListeners;

  constructor({ path, database, reader, writer, leases, report }: SqliteParts) {
    this.name = `sqlite ${path}`;
    this.#listeners = new ChangeListeners(this.name, report);
    this.leases = leases;
    this.#path = path;
    this.#database = database;
    this.#reader = reader;
    this.#writer = writer;
  }

  pckAnswer(key: RawTcbKey) {
    return this.#reader.pckAnswer(key);
  }

  platform(key: PlatformKey) {
    return this.#reader.platform(key);
  }

  pckCertificates(key: PlatformKey) {
    return this.#reader.pckCertificates(key);
  }

  pckChain(ca: CertificationCa) {
    return this.#reader.pckChain(ca);
  }

  pckCrl(ca: CertificationCa) {
    return this.#reader.crl("pck", ca);
  }

  rootCaCrl() {
    return this.#reader.crl("root", "");
  }

  crl(url: string) {
    return this.#reader.crl("url", url);
  }

  tcbInfo(key: TcbInfoKey) {
    return this.#reader.tcbInfo(key);
  }

  identity(key: IdentityKey) {
    return this.#reader.identity(key);
  }

  policies(fmspc: string) {
    return this.#reader.policies(fmspc);
  }

  registrations(states: readonly RegistrationState[], limit: number) {
    return this.#reader.registrations(states, limit);
  }

  platforms(fmspcs: readonly string[] | undefined, after: PlatformKey | undefined, limit: number) {
    return this.#reader.platforms(fmspcs, after, limit);
  }

  rawTcbs(key: PlatformKey) {
    return this.#reader.rawTcbs(key);
  }

  tcbInfoKeys() {
    return this.#reader.tcbInfoKeys();
  }

  identityKeys() {
    return this.#reader.identityKeys();
  }

  crlUrls() {
    return this.#reader.crlUrls();
  }

  counts() {
    return this.#reader.counts();
  }

  async write(changes: readonly StoreChange[]): Promise<void> {
    await this.#writing().write(changes);
    this.#listeners.tell(changes);
  }

  async writePacked({ packed, rows, told }: PackedChanges): Promise<void> {
    await this.#writing().writePacked(packed, rows);
    this.#listeners.tell(told);
  }

  async takeRegistrations(
    states: readonly RegistrationState[],
    maximumBytes?: number,
  ): Promise<readonly StoredRegistration[]> {
    const taken = await this.#writing().take(states, maximumBytes);
    if (taken.length > 0) {
      this.#listeners.tell(taken.map((row) => ({ put: "registration", registration: { ...row, state: "deleted" } })));
    }
    return taken;
  }

  onChange(listener: ChangeListener): () => void {
    return this.#listeners.add(listener);
  }

  /** A new file, mode 0600, whole or not there. Of a database that another process writes too. */
  async backup(path: string): Promise<void> {
    await newBackup(path, async (unfinished) => {
      if (this.#writer === undefined) copyDatabase(this.#database, unfinished);
      else await this.#writer.backup(unfinished);
    });
  }

  async ping(): Promise<void> {
    try {
      this.#database.prepare("SELECT count(*) FROM probe").get();
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
    await this.#writer?.ping();
  }

  /** Ends the thread that writes as a defect of it would: for tests. */
  async terminateWriter(): Promise<void> {
    await this.#writer?.terminate();
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.leases.close();
    this.#database.close();
  }

  #writing(): WritingThread {
    if (this.#writer !== undefined) return this.#writer;
    throw new CollateralError("STORE_IO", `${this.#path} was opened only to be read`);
  }
}
