import type { HttpFigures } from "./figures.ts";
import { LATENCY_BUCKETS } from "./figures.ts";

/** One metric as it stands now. A histogram's samples carry their suffix. */
export interface HttpMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly {
    readonly suffix?: "_bucket" | "_sum" | "_count";
    readonly labels?: Readonly<Record<string, string | number>>;
    readonly value: number;
  }[];
}

export interface HttpMetricSources {
  readonly figures: HttpFigures;
  readonly cache: { readonly bytes: number; readonly entries: number };
  readonly log: { readonly dropped: number };
  readonly peers: { readonly size: number };
}

/** What the edge counted. Labels come from fixed sets: no parameter, address or token becomes one. */
export function httpMetrics({ figures, cache, log, peers }: HttpMetricSources): HttpMetric[] {
  const endpoints = [...figures.endpoints];
  const counter = (name: string, help: string, samples: HttpMetric["samples"]): HttpMetric => ({
    name: `confcom_pccs_${name}`,
    help,
    type: "counter",
    samples,
  });
  const gauge = (name: string, help: string, value: number): HttpMetric => ({
    name: `confcom_pccs_${name}`,
    help,
    type: "gauge",
    samples: [{ value }],
  });
  return [
    counter(
      "http_requests_total",
      "Answers by endpoint and status.",
      endpoints.flatMap(({ endpoint, hits, statuses }) => {
        const all = new Map(statuses);
        if (hits > 0) all.set(200, (all.get(200) ?? 0) + hits);
        return [...all].map(([status, value]) => ({ labels: { endpoint, status }, value }));
      }),
    ),
    counter(
      "response_cache_hits_total",
      "Answers given from built responses, by endpoint.",
      endpoints.map(({ endpoint, hits }) => ({ labels: { endpoint }, value: hits })),
    ),
    {
      name: "confcom_pccs_http_request_duration_seconds",
      help: "Time to an answer that was not a built response; those leave in the turn in which they are asked for.",
      type: "histogram",
      samples: endpoints.flatMap(({ endpoint, latencies, latencySum }) => {
        let count = 0;
        const buckets = latencies.map((value, index) => {
          count += value;
          const bound = LATENCY_BUCKETS[index];
          const le = bound === undefined ? "+Inf" : bound / 1000;
          return { suffix: "_bucket" as const, labels: { endpoint, le }, value: count };
        });
        return [
          ...buckets,
          { suffix: "_sum" as const, labels: { endpoint }, value: latencySum / 1000 },
          { suffix: "_count" as const, labels: { endpoint }, value: count },
        ];
      }),
    },
    counter(
      "http_limited_total",
      "Requests and connections refused by a limit.",
      [...figures.limited].map(([limit, value]) => ({ labels: { limit }, value })),
    ),
    counter("tokens_refused_total", "Requests whose token was missing or wrong.", [{ value: figures.tokensRefused }]),
    counter("http_malformed_total", "Connections ended for what they sent.", [{ value: figures.malformed }]),
    counter("access_log_dropped_total", "Lines that the access log had no room for.", [{ value: log.dropped }]),
    gauge("http_in_flight", "Requests that wait for the service.", figures.inFlight),
    gauge("http_connections", "Open connections.", figures.connections),
    gauge("http_prefixes", "Address prefixes remembered.", peers.size),
    gauge("response_cache_bytes", "Memory of built responses.", cache.bytes),
    gauge("response_cache_entries", "Built responses.", cache.entries),
  ];
}

/** Prometheus text. The library is loaded by the first scrape. */
export async function metricsText(metrics: readonly HttpMetric[]): Promise<string> {
  // By its default export: a bundler gives a CommonJS module that is imported late no named ones.
  const { Registry } = (await import("prom-client")).default;
  const registry = new Registry();
  for (const { name, help, type, samples } of metrics) {
    const values = samples.map(({ suffix = "", labels = {}, value }) => ({
      metricName: `${name}${suffix}`,
      labels,
      value,
    }));
    // The registry asks no more of a metric than its name and get(); a Histogram of the library cannot be given its counts.
    const metric = { name, help, type, get: async () => ({ name, help, type, values, aggregator: "sum" }) };
    registry.registerMetric(metric as unknown as Parameters<typeof registry.registerMetric>[0]);
  }
  return registry.metrics();
}
