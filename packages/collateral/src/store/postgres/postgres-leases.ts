import { createHash } from "node:crypto";
import type { Clock, Random } from "../../clock.ts";
import { CollateralError } from "../../errors.ts";
import type { Leases } from "../store.ts";
import type { Connections } from "./connections.ts";

/** Channel that names each lease as it is given back. */
export const LEASE_CHANNEL = "confcom_lease";

const ACQUIRE = {
  name: "lease-acquire",
  text: `INSERT INTO confcom.lease AS l (key, owner, expires)
         VALUES ($1, $2, clock_timestamp() + $3::float8 * interval '1 millisecond')
         ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, expires = excluded.expires
         WHERE l.expires <= clock_timestamp() RETURNING true AS acquired`,
};
const RELEASE = {
  name: "lease-release",
  text: `WITH gone AS (DELETE FROM confcom.lease WHERE key = $1 AND owner = $2 RETURNING key)
         SELECT pg_notify('${LEASE_CHANNEL}', key) FROM gone`,
};
const RELEASE_ALL = {
  name: "lease-release-all",
  text: `WITH gone AS (DELETE FROM confcom.lease WHERE owner = $1 RETURNING key)
         SELECT pg_notify('${LEASE_CHANNEL}', key) FROM gone`,
};
/** Of those that this process holds; one that another took meanwhile stays that one's. */
const RENEW = {
  name: "lease-renew",
  text: `UPDATE confcom.lease l
         SET expires = greatest(l.expires, clock_timestamp() + h.ms * interval '1 millisecond')
         FROM unnest($2::text[], $3::float8[]) AS h (key, ms)
         WHERE l.key = h.key AND l.owner = $1 RETURNING l.key`,
};
const REMAINING = {
  name: "lease-remaining",
  text: `SELECT greatest(0, extract(epoch FROM expires - clock_timestamp()) * 1000)::float8 AS ms
         FROM confcom.lease WHERE key = $1`,
};
/** Rows that nobody wanted again. Some time after they ended, so that they are not taken from under who waits. */
const SWEEP = {
  name: "lease-sweep",
  text: `DELETE FROM confcom.lease WHERE key IN (
           SELECT key FROM confcom.lease WHERE expires < clock_timestamp() - interval '1 minute'
           ORDER BY key LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
};

/** Thirty days. */
const LONGEST_MS = 30 * 86_400_000;
/**
 * What a row is given at a time, and how often that is done anew: who waits for a dead owner's key waits no longer than
 * this, which is a part of what its own client waits, however long the work may take.
 */
const HELD_MS = 6_000;
const RENEW_MS = 2_000;
const SWEEP_MS = 300_000;
/** How often who waits looks for itself: a notification may be lost with its connection, and an owner may be dead. */
const POLL_MS = 2_000;
const POLL_UNHEARD_MS = 300;
const LONGEST_KEY = 256;

export interface PostgresLeasesOptions {
  /** Unlike any other, of this process or another, ever. */
  readonly owner: string;
  readonly connections: Connections;
  /** Whether releases are heard of now. */
  readonly listening: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A row a key, taken in one statement; no connection is held meanwhile. Time is the database's, so replicas' clocks do not
 * matter. A process renews what it holds while it lives, up to the time it asked for, so a dead one's is free in seconds.
 * Not reentrant: what this process holds, it cannot take again.
 */
export class PostgresLeases implements Leases {
  readonly #options: PostgresLeasesOptions;
  /** Keys for which this process asks now: whoever asks meanwhile has lost. */
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #watches = new Map<string, Watch>();
  /** Rows of this process, and when the time that was asked for ends, by this process's clock. */
  readonly #held = new Map<string, number>();
  #renewal: unknown;
  #sweep: unknown;
  #closed = false;

  constructor(options: PostgresLeasesOptions) {
    this.#options = options;
    this.#sweepLater();
  }

  async acquire(key: string, ttlMs: number): Promise<boolean> {
    if (!(ttlMs > 0 && ttlMs <= LONGEST_MS)) {
      throw new CollateralError("PARAMETER", `a lease of ${ttlMs} ms: more than 0 and at most ${LONGEST_MS}`);
    }
    const row = rowKey(key);
    const asked = this.#asking.get(row);
    if (asked !== undefined) return asked.then(() => false);
    const asking = this.#acquire(row, ttlMs).finally(() => this.#asking.delete(row));
    this.#asking.set(row, asking);
    return asking;
  }

  async release(key: string): Promise<void> {
    const row = rowKey(key);
    this.#held.delete(row);
    await this.#options.connections.change(RELEASE, [row, this.#options.owner]);
    this.onReleased(row);
  }

  async released(key: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return;
    const row = rowKey(key);
    let watch = this.#watches.get(row);
    if (watch === undefined) {
      watch = { waiting: new Set(), timer: undefined };
      this.#watches.set(row, watch);
      void this.#look(row, watch);
    }
    await this.#wait(row, watch, timeoutMs, signal);
  }

  /** A row was given back, here or elsewhere. */
  onReleased(row: string): void {
    const watch = this.#watches.get(row);
    if (watch !== undefined) this.#end(row, watch);
  }

  /** Notifications may have been missed. */
  onRegained(): void {
    for (const [row, watch] of this.#watches) void this.#look(row, watch);
  }

  /** Gives back what this process holds, as far as the database can be reached, and lets nobody wait longer. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#held.clear();
    this.#options.clock.clearTimeout(this.#sweep);
    this.#options.clock.clearTimeout(this.#renewal);
    for (const [row, watch] of this.#watches) this.#end(row, watch);
    await this.#options.connections.change(RELEASE_ALL, [this.#options.owner]).catch(() => undefined);
  }

  async #acquire(row: string, ttlMs: number): Promise<boolean> {
    const { connections, owner, clock } = this.#options;
    const end = clock.now() + ttlMs;
    const rows = await connections.change(ACQUIRE, [row, owner, Math.min(ttlMs, HELD_MS)]);
    if (rows.length !== 1) return false;
    if (ttlMs > HELD_MS && !this.#closed) {
      this.#held.set(row, end);
      this.#renewal ??= clock.setTimeout(() => void this.#renew(), RENEW_MS);
    }
    return true;
  }

  /** One statement for all that is held. Where it fails the next may not; beyond that a lease is over, and others may have it. */
  async #renew(): Promise<void> {
    const { connections, owner, clock } = this.#options;
    const now = clock.now();
    const left = [...this.#held].map(([row, end]) => ({ row, end, ms: Math.min(HELD_MS, end - now) }));
    for (const { row, ms } of left) if (ms <= 0) this.#held.delete(row);
    const asked = left.filter(({ ms }) => ms > 0);
    if (asked.length > 0) {
      try {
        const rows = asked.map(({ row }) => row);
        const renewed = await connections.change<{ key: string }>(RENEW, [owner, rows, asked.map(({ ms }) => ms)]);
        const kept = new Set(renewed.map(({ key }) => key));
        // The same row may have been released and taken again meanwhile: its time is another then.
        for (const { row, end } of asked) if (!kept.has(row) && this.#held.get(row) === end) this.#held.delete(row);
      } catch {
        // The database is away, or busy.
      }
    }
    this.#renewal = undefined;
    if (this.#held.size > 0 && !this.#closed) this.#renewal = clock.setTimeout(() => void this.#renew(), RENEW_MS);
  }

  #wait(row: string, watch: Watch, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const done = () => {
        clock.clearTimeout(timer);
        signal.removeEventListener("abort", done);
        watch.waiting.delete(done);
        if (watch.waiting.size === 0) this.#end(row, watch);
        resolve();
      };
      const timer = clock.setTimeout(done, Math.max(0, timeoutMs));
      signal.addEventListener("abort", done, { once: true });
      watch.waiting.add(done);
    });
  }

  /** Looks now, and again when the lease ends or after a while; one look for all who wait in this process. */
  async #look(row: string, watch: Watch): Promise<void> {
    const { connections, clock, random, listening } = this.#options;
    const turn = {};
    watch.turn = turn;
    clock.clearTimeout(watch.timer);
    let remaining = Number.POSITIVE_INFINITY;
    try {
      const [found] = await connections.read<{ ms: number }>(REMAINING, [row]);
      remaining = found?.ms ?? 0;
    } catch {
      // Whoever waits has a time of its own; until then the database may come back.
    }
    if (this.#watches.get(row) !== watch || watch.turn !== turn) return;
    if (remaining <= 0) {
      this.#end(row, watch);
      return;
    }
    const poll = (listening() ? POLL_MS : POLL_UNHEARD_MS) * (0.5 + random());
    // A little after its end, so that the next look finds it ended.
    watch.timer = clock.setTimeout(() => void this.#look(row, watch), Math.min(poll, remaining + 1 + 10 * random()));
  }

  #end(row: string, watch: Watch): void {
    if (this.#watches.get(row) !== watch) return;
    this.#watches.delete(row);
    this.#options.clock.clearTimeout(watch.timer);
    for (const done of [...watch.waiting]) done();
  }

  #sweepLater(): void {
    const { connections, clock, random } = this.#options;
    this.#sweep = clock.setTimeout(
      () => {
        connections.change(SWEEP).then(
          () => undefined,
          () => undefined,
        );
        if (!this.#closed) this.#sweepLater();
      },
      SWEEP_MS * (0.5 + random()),
    );
  }
}

interface Watch {
  readonly waiting: Set<() => void>;
  timer: unknown;
  /** The look that counts, of several under way. */
  turn?: object;
}

/** A key as its row has it: an index and a notification have room for short ones. */
function rowKey(key: string): string {
  const plain = key.length <= LONGEST_KEY && /^[\x20-\x7e]*$/.test(key);
  return plain ? `=${key}` : `#${createHash("sha256").update(key).digest("hex")}`;
}
