import type { QuotingPlatform } from "../platform.ts";
import type { Connection } from "./connection.ts";
import type { ServerCounters } from "./counters.ts";
import type { LimitsInForce } from "./limits.ts";
import { isPromise, type PlatformCall } from "./platform-call.ts";

export interface LaneOptions {
  readonly platform: QuotingPlatform;
  readonly limits: LimitsInForce;
  readonly counters: ServerCounters;
  /** Whether the caller has closed; its call is not begun then. */
  readonly vanished: (connection: Connection) => boolean;
  /** Called once for every connection whose call has ended. */
  readonly settled: (connection: Connection, call: PlatformCall, error: unknown) => void;
}

/**
 * The way to a platform that answers later: a few calls at a time, a bounded number waiting, first come first served.
 * A platform that answers at once is never waited for and leaves the lane empty.
 */
export class PlatformLane {
  /** Whether the platform's last answer came at once. At first nothing is known, so a caller is checked before its call. */
  answersAtOnce = false;

  readonly #options: LaneOptions;
  readonly #waiting = new Set<Connection>();
  #executing = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get free(): boolean {
    return this.#executing < this.#options.limits.current.concurrency && this.#waiting.size === 0;
  }

  get full(): boolean {
    return this.#waiting.size >= this.#options.limits.current.maxWaiting;
  }

  get idle(): boolean {
    return this.#executing === 0 && this.#waiting.size === 0;
  }

  /** Runs a call when the lane is free. Returns the promise of a later end, or undefined when it has ended; throws its failure. */
  begin(call: PlatformCall, abort: AbortController | undefined): Promise<void> | undefined {
    let outcome: void | Promise<void>;
    try {
      outcome = call.run(this.#options.platform, abort?.signal);
    } catch (error) {
      this.answersAtOnce = true;
      throw error;
    }
    if (outcome === undefined || !isPromise(outcome)) {
      this.answersAtOnce = true;
      return undefined;
    }
    this.answersAtOnce = false;
    return outcome;
  }

  /** Takes over a call begun with {@link begin} that ends later. */
  follow(connection: Connection, call: PlatformCall, outcome: Promise<void>): void {
    this.#executing++;
    this.#count();
    outcome.then(
      () => this.#end(connection, call, undefined),
      (error: unknown) => this.#end(connection, call, error ?? new Error("the platform failed without saying why")),
    );
  }

  wait(connection: Connection): void {
    this.#waiting.add(connection);
    this.#count();
  }

  /** Forgets a connection that closed or was answered while it waited. */
  leave(connection: Connection): void {
    if (this.#waiting.delete(connection)) this.#count();
  }

  #end(connection: Connection, call: PlatformCall, error: unknown): void {
    this.#executing--;
    this.#options.settled(connection, call, error);
    this.#advance();
  }

  #advance(): void {
    while (this.#executing < this.#options.limits.current.concurrency) {
      const connection = this.#waiting.values().next().value;
      if (connection === undefined) break;
      this.#waiting.delete(connection);
      const call = connection.call;
      if (call === undefined || this.#options.vanished(connection)) continue;
      connection.state = "executing";
      connection.abort = new AbortController();
      try {
        const outcome = this.begin(call, connection.abort);
        if (outcome === undefined) this.#options.settled(connection, call, undefined);
        else this.follow(connection, call, outcome);
      } catch (error) {
        this.#options.settled(connection, call, error);
      }
    }
    this.#count();
  }

  #count(): void {
    this.#options.counters.lane(this.#waiting.size, this.#executing);
  }
}
