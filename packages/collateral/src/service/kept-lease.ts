import type { Clock } from "../clock.ts";
import type { Leases } from "../store/store.ts";
import { ServiceRefusal } from "./status.ts";

/** It is taken again at half of this; a dead replica's is free after it. */
const LEASE_MS = 300_000;

/** The lease of work of many steps, however long that takes. Fails with ServiceRefusal 503 when another replica has it. */
export class KeptLease {
  readonly #leases: Leases;
  readonly #clock: Clock;
  readonly #key: string;
  #until = 0;
  #taking: Promise<void> | undefined;

  constructor(leases: Leases, clock: Clock, key: string) {
    this.#leases = leases;
    this.#clock = clock;
    this.#key = key;
  }

  async take(): Promise<void> {
    const until = this.#clock.now() + LEASE_MS;
    if (!(await this.#leases.acquire(this.#key, LEASE_MS))) {
      throw new ServiceRefusal(503, "another replica does this already", { retryAfter: 60 });
    }
    this.#until = until;
  }

  async keep(): Promise<void> {
    if (this.#until - this.#clock.now() > LEASE_MS / 2) return;
    this.#taking ??= this.#leases
      .release(this.#key)
      .then(() => this.take())
      .finally(() => {
        this.#taking = undefined;
      });
    await this.#taking;
  }

  async release(): Promise<void> {
    if (this.#until === 0) return;
    // One that cannot be given back runs out.
    await this.#leases.release(this.#key).catch(() => {});
  }
}
