import { type Client, type ClientConfig, Pool, type PoolClient, type QueryResultRow } from "pg";
import type { Clock, Random } from "../../clock.ts";
import { CollateralError } from "../../errors.ts";
import { backoffMs } from "./backoff.ts";
import { isConnectionLoss, isSerializationFailure, storeFailure } from "./failures.ts";

/** A statement that each connection prepares once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** What a transaction's work is given. */
export interface Queries {
  query<Row extends QueryResultRow>(text: string | Statement, values?: unknown[]): Promise<readonly Row[]>;
}

export interface ConnectionsOptions {
  /** The store's, for messages. */
  readonly name: string;
  readonly config: ClientConfig;
  /** Connections at most, beside the one that listens. */
  readonly poolSize: number;
  /** Operations at most that run or wait for a connection. */
  readonly maxPending: number;
  /** Milliseconds for which an operation waits for a connection, tries to reconnect included. */
  readonly connectTimeoutMs: number;
  /** Run once on every new connection; what it throws fails the operation. */
  readonly prepare: (queries: Queries) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
}

/** How often a transaction is run that the server gave up in favour of another. */
const MAX_TRIES = 5;
/** How long the outcome of a COMMIT is asked for whose answer never came, milliseconds: a server that crashed recovers. */
const DOUBT_MS = 20_000;
const OWN_ID: Statement = { name: "own-transaction", text: "SELECT pg_current_xact_id_if_assigned()::text AS id" };
const OUTCOME: Statement = { name: "transaction-outcome", text: "SELECT pg_xact_status($1::xid8) AS status" };

/**
 * A bounded pool. When the server is gone, what was under way fails with STORE_UNREACHABLE; reads, which change nothing,
 * and what had not begun wait for a new connection, tried for with backoff and jitter.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #pool: Pool;
  #pending = 0;
  #failures = 0;
  #pause: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  /** Called when nothing is under way any more. */
  #idle: (() => void) | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#pool = new Pool({
      ...options.config,
      max: options.poolSize,
      connectionTimeoutMillis: options.connectTimeoutMs,
      // Fewer connections when there is little to do; a server has a hundred for all its clients.
      idleTimeoutMillis: 60_000,
      onConnect: (client) => options.prepare(queriesOf(client as Client)),
    });
    // An idle connection ended: the pool forgets it and makes another when one is needed.
    this.#pool.on("error", () => undefined);
  }

  /** Runs one reading statement. Tried again when the connection is lost, until the time for a connection is over. */
  async read<Row extends QueryResultRow>(statement: Statement, values: unknown[] = []): Promise<readonly Row[]> {
    const deadline = this.#options.clock.now() + this.#options.connectTimeoutMs;
    for (;;) {
      try {
        return await this.#withClient(statement.name, deadline, (queries) => queries.query<Row>(statement, values));
      } catch (error) {
        if (!isConnectionLoss(causeOf(error)) || this.#closed !== undefined || this.#options.clock.now() >= deadline)
          throw error;
        await this.#paused(deadline);
      }
    }
  }

  /** Runs one statement that changes something, as a transaction of its own. */
  async change<Row extends QueryResultRow>(statement: Statement, values: unknown[] = []): Promise<readonly Row[]> {
    return this.#again(statement.name, (queries) => queries.query<Row>(statement, values));
  }

  /** Runs `work` in one transaction: resolved means committed. */
  async transaction<T>(what: string, work: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#again(what, (queries) => inTransaction(queries, work, () => undefined));
  }

  /**
   * A transaction whose result must not be lost once it is committed: when the connection ends before COMMIT is answered,
   * the server is asked on another what became of it.
   */
  async certainTransaction<T>(what: string, work: (queries: Queries) => Promise<T>): Promise<T> {
    let committing: { readonly id: string; readonly result: T } | undefined;
    try {
      return await this.#again(what, (queries) => {
        committing = undefined;
        return inTransaction(queries, work, async (result) => {
          const [own] = await queries.query<{ id: string | null }>(OWN_ID);
          if (own?.id) committing = { id: own.id, result };
        });
      });
    } catch (error) {
      // Assigned in a callback, which the compiler does not see.
      const doubtful = committing as { readonly id: string; readonly result: T } | undefined;
      if (doubtful === undefined || !isConnectionLoss(causeOf(error))) throw error;
      if (await this.#committed(doubtful.id)) return doubtful.result;
      throw error;
    }
  }

  /** False: it was not, or the server cannot be asked. */
  async #committed(id: string): Promise<boolean> {
    const { clock, random } = this.#options;
    const deadline = clock.now() + DOUBT_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        const [outcome] = await this.read<{ status: string | null }>(OUTCOME, [id]);
        // The server may not have seen yet that its peer is gone.
        if (outcome?.status !== "in progress") return outcome?.status === "committed";
      } catch (error) {
        // One that the server never heard of is not committed; a server that is still away may come back.
        if (!isConnectionLoss(causeOf(error))) return false;
      }
      if (this.#closed !== undefined || clock.now() >= deadline) return false;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, backoffMs(attempt, random)));
    }
  }

  /** Takes nothing new, waits for what is under way, and ends every connection. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.#pool.end();
  }

  async #again<T>(what: string, work: (queries: Queries) => Promise<T>): Promise<T> {
    const { clock, random, connectTimeoutMs } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#withClient(what, clock.now() + connectTimeoutMs, work);
      } catch (error) {
        if (!isSerializationFailure(causeOf(error)) || attempt === MAX_TRIES) throw error;
        await new Promise<void>((resolve) => clock.setTimeout(resolve, backoffMs(attempt, random)));
      }
    }
  }

  async #withClient<T>(what: string, deadline: number, work: (queries: Queries) => Promise<T>): Promise<T> {
    const { name, maxPending } = this.#options;
    if (this.#closed !== undefined) throw new CollateralError("STORE_IO", `${name}: ${what}: it was closed`);
    if (this.#pending >= maxPending) {
      throw new CollateralError("STORE_BUSY", `${name}: ${what}: ${maxPending} operations wait already`);
    }
    this.#pending++;
    try {
      const client = await this.#connect(deadline);
      let failed: unknown;
      // Without a listener a connection that ends between two statements would end the process.
      const onError = (error: unknown) => {
        failed ??= error;
      };
      client.on("error", onError);
      try {
        return await work(queriesOf(client));
      } catch (error) {
        if (isConnectionLoss(error)) failed ??= error;
        throw error;
      } finally {
        client.off("error", onError);
        client.release(failed !== undefined);
      }
    } catch (error) {
      throw storeFailure(name, what, error);
    } finally {
      this.#pending--;
      if (this.#pending === 0) this.#idle?.();
    }
  }

  async #connect(deadline: number): Promise<PoolClient> {
    for (;;) {
      await this.#paused(deadline);
      try {
        const client = await this.#pool.connect();
        this.#failures = 0;
        return client;
      } catch (error) {
        if (!isConnectionLoss(error) || this.#closed !== undefined || this.#options.clock.now() >= deadline)
          throw error;
        this.#beginPause();
      }
    }
  }

  /** One pause for all that wait: a server that comes back is not met by everybody at once. */
  #beginPause(): void {
    if (this.#pause !== undefined) return;
    const { clock, random } = this.#options;
    const ms = backoffMs(++this.#failures, random);
    this.#pause = new Promise((resolve) => {
      clock.setTimeout(() => {
        this.#pause = undefined;
        resolve();
      }, ms);
    });
  }

  async #paused(deadline: number): Promise<void> {
    while (this.#pause !== undefined && this.#closed === undefined && this.#options.clock.now() < deadline)
      await this.#pause;
  }
}

async function inTransaction<T>(
  queries: Queries,
  work: (queries: Queries) => Promise<T>,
  beforeCommit: (result: T) => Promise<void> | undefined,
): Promise<T> {
  await queries.query("BEGIN");
  try {
    const result = await work(queries);
    await beforeCommit(result);
    await queries.query("COMMIT");
    return result;
  } catch (error) {
    // A lost connection rolls back by itself.
    if (!isConnectionLoss(error)) await queries.query("ROLLBACK");
    throw error;
  }
}

export function queriesOf(client: Client | PoolClient): Queries {
  return {
    async query<Row extends QueryResultRow>(text: string | Statement, values?: unknown[]): Promise<readonly Row[]> {
      const config = typeof text === "string" ? { text } : { name: text.name, text: text.text };
      const result = await client.query<Row>(values === undefined ? config : { ...config, values });
      // The server's word for a COMMIT of a transaction that had failed.
      if (text === "COMMIT" && result.command !== "COMMIT") throw new Error("the transaction was rolled back");
      return result.rows;
    },
  };
}

function causeOf(error: unknown): unknown {
  return error instanceof CollateralError ? error.cause : error;
}
