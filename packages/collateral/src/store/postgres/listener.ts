import { Client, type ClientConfig } from "pg";
import type { Clock, Random } from "../../clock.ts";
import { backoffMs } from "./backoff.ts";
import { type Queries, queriesOf } from "./connections.ts";

export interface ListenerOptions {
  readonly config: ClientConfig;
  readonly channels: readonly string[];
  /** Run on every new connection; what it throws ends that. */
  readonly prepare: (queries: Queries) => Promise<void>;
  readonly onNotification: (channel: string, payload: string) => void;
  /** It listens again after it did not: notifications may have been missed. */
  readonly onRegained: () => void;
  readonly onLost: (error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** Between two signs of life: a peer that vanished without a word is found within this and the statement's timeout. */
const HEARTBEAT_MS = 20_000;
const IDENTIFIER = /^[a-z_]+$/;

/** One connection that hears notifications, made again whenever it ends. */
export class Listener {
  readonly #options: ListenerOptions;
  #client: Client | undefined;
  #timer: unknown;
  #failures = 0;
  #closed = false;

  constructor(options: ListenerOptions) {
    for (const channel of options.channels) if (!IDENTIFIER.test(channel)) throw new RangeError(`channel ${channel}`);
    this.#options = options;
  }

  get listening(): boolean {
    return this.#client !== undefined;
  }

  /** Resolves when it listens; rejects when the first connection fails. */
  async start(): Promise<void> {
    await this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #connect(): Promise<void> {
    const { config, channels, prepare, onNotification } = this.#options;
    const client = new Client(config);
    let ended = false;
    const end = (error: unknown) => {
      if (ended) return;
      ended = true;
      // A server that does not answer is not waited for.
      void client.end().catch(() => undefined);
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#options.clock.clearTimeout(this.#timer);
      if (this.#closed) return;
      this.#options.onLost(error);
      this.#again();
    };
    client.on("error", end);
    client.on("end", () => end(new Error("the connection ended")));
    client.on("notification", ({ channel, payload = "" }) => onNotification(channel, payload));
    try {
      await client.connect();
      const queries = queriesOf(client);
      await prepare(queries);
      for (const channel of channels) await queries.query(`LISTEN ${channel}`);
      if (ended || this.#closed) throw new Error("the connection ended");
    } catch (error) {
      end(error);
      throw error;
    }
    this.#client = client;
    this.#failures = 0;
    this.#heartbeat(client, end);
  }

  #heartbeat(client: Client, end: (error: unknown) => void): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      client.query("SELECT 1").then(
        () => {
          if (this.#client === client) this.#heartbeat(client, end);
        },
        (error: unknown) => end(error),
      );
    }, HEARTBEAT_MS);
  }

  #again(): void {
    const { clock, random, onRegained } = this.#options;
    this.#timer = clock.setTimeout(
      () => {
        this.#connect().then(onRegained, () => {
          if (!this.#closed) this.#again();
        });
      },
      backoffMs(++this.#failures, random),
    );
  }
}
