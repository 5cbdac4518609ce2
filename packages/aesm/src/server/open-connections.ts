import type { Connection } from "./connection.ts";
import type { ServerCounters } from "./counters.ts";
import type { LimitsInForce } from "./limits.ts";

/**
 * The connections that outlived their accept, in order of arrival, and the two bounds that hold for all of them: their
 * number and the bytes of incomplete requests. Whoever has sent no whole request makes room first, the oldest before others.
 */
export class OpenConnections {
  readonly #all = new Set<Connection>();
  readonly #receiving = new Set<Connection>();
  readonly #limits: LimitsInForce;
  readonly #counters: ServerCounters;
  #receivingBytes = 0;

  constructor(limits: LimitsInForce, counters: ServerCounters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#all.values();
  }

  add(connection: Connection): void {
    this.#all.add(connection);
    this.#counters.open(1);
    if (connection.state === "receiving") this.#receiving.add(connection);
  }

  /** Its request is there. */
  received(connection: Connection): void {
    this.#receiving.delete(connection);
  }

  remove(connection: Connection): void {
    this.#receiving.delete(connection);
    if (this.#all.delete(connection)) this.#counters.open(-1);
  }

  /** Drops one connection when the limit is reached: the oldest without a request, else the oldest slow reader. */
  makeRoom(): void {
    if (this.#all.size < this.#limits.current.maxConnections) return;
    let victim = this.#receiving.values().next().value;
    if (victim === undefined) {
      for (const connection of this.#all) {
        if (connection.state !== "writing") continue;
        victim = connection;
        break;
      }
    }
    victim?.drop("too-many-connections");
  }

  /** Bytes of incomplete requests came (positive) or were let go of (negative). */
  countBytes(change: number): void {
    this.#receivingBytes += change;
    while (this.#receivingBytes > this.#limits.current.maxReceiving) {
      const oldest = this.#receiving.values().next().value;
      if (oldest === undefined) break;
      oldest.drop("too-many-bytes");
    }
  }
}
