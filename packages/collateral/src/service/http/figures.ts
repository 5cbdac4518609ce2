/** What the edge counts. Plain numbers: a scrape reads them, a request only adds. */

/** Upper bounds of the histogram's buckets, milliseconds. */
export const LATENCY_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 20_000] as const;

export class EndpointFigures {
  readonly endpoint: string;
  /** Answered from the response cache, status 200. */
  hits = 0;
  /** Everything else, by status. */
  readonly statuses = new Map<number, number>();
  /** Of what was not answered from the cache: how many took at most each bound; the last one: longer. */
  readonly latencies: number[] = new Array(LATENCY_BUCKETS.length + 1).fill(0);
  latencySum = 0;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  answered(status: number, ms: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS.length && ms > (LATENCY_BUCKETS[bucket] ?? 0)) bucket++;
    this.latencies[bucket] = (this.latencies[bucket] ?? 0) + 1;
    this.latencySum += ms;
  }
}

export type LimitedBy = "requests" | "misses" | "unanswered" | "in-flight" | "imports" | "connections" | "wrong-tokens";

export class HttpFigures {
  readonly #endpoints = new Map<string, EndpointFigures>();
  readonly limited = new Map<LimitedBy, number>();
  tokensRefused = 0;
  malformed = 0;
  inFlight = 0;
  connections = 0;

  /** `endpoint` is one of the table's names, or `unknown`: never what somebody sent. */
  of(endpoint: string): EndpointFigures {
    let figures = this.#endpoints.get(endpoint);
    if (figures === undefined) {
      figures = new EndpointFigures(endpoint);
      this.#endpoints.set(endpoint, figures);
    }
    return figures;
  }

  limit(by: LimitedBy): void {
    this.limited.set(by, (this.limited.get(by) ?? 0) + 1);
  }

  get endpoints(): Iterable<EndpointFigures> {
    return this.#endpoints.values();
  }
}
