import { ServiceRefusal } from "./status.ts";

export interface FlightLimits {
  /** Keys under way at the same time. */
  readonly flights: number;
  /** Callers of all keys together. */
  readonly waiting: number;
}

/** One piece of work per key however many ask for it at the same time; its outcome is everybody's. */
export class SingleFlight {
  readonly #limits: FlightLimits;
  readonly #refused: (() => void) | undefined;
  readonly #flights = new Map<string, Promise<unknown>>();
  #waiting = 0;

  constructor(limits: FlightLimits, refused?: () => void) {
    this.#limits = limits;
    this.#refused = refused;
  }

  get size(): number {
    return this.#flights.size;
  }

  /** Joins the work under way, or starts it. Fails with ServiceRefusal 503 where too many wait already. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const under = this.#flights.get(key) as Promise<T> | undefined;
    if (this.#waiting >= this.#limits.waiting || (under === undefined && this.#flights.size >= this.#limits.flights)) {
      this.#refused?.();
      return Promise.reject(new ServiceRefusal(503, "too many requests wait for the upstream", { retryAfter: 1 }));
    }
    const flight = under ?? this.#start(key, work);
    this.#waiting += 1;
    return flight.finally(() => {
      this.#waiting -= 1;
    });
  }

  /** Resolves when nothing is under way any more, whatever became of it. */
  async settled(): Promise<void> {
    while (this.#flights.size > 0) await Promise.allSettled([...this.#flights.values()]);
  }

  #start<T>(key: string, work: () => Promise<T>): Promise<T> {
    const flight = Promise.resolve()
      .then(work)
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}
