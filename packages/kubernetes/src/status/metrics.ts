/** One metric as it stands now: a family of samples that differ in their labels. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/**
 * Prometheus text of the families, from a registry of their own. The library is loaded by the first reader only: it
 * costs a daemon that nobody scrapes some megabytes otherwise.
 */
export async function metricsText(families: readonly MetricFamily[]): Promise<string> {
  // By its default export: a bundler gives a CommonJS module that is imported late no named ones.
  const { Counter, Gauge, Registry } = (await import("prom-client")).default;
  const registry = new Registry();
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue;
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    const settings = { name, help, labelNames, registers: [registry] };
    if (type === "gauge") {
      const gauge = new Gauge(settings);
      for (const { labels, value } of samples) gauge.set(labels ?? {}, value);
    } else {
      const counter = new Counter(settings);
      for (const { labels, value } of samples) counter.inc(labels ?? {}, value);
    }
  }
  return registry.metrics();
}

/** Figures that every daemon shows about itself. */
export interface ProcessFigures {
  readonly residentBytes: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly version: string;
}

/** `prefix` is the daemon's, e.g. `confcom_device_plugin`. */
export function processMetrics(prefix: string, figures: ProcessFigures): MetricFamily[] {
  return [
    {
      name: `${prefix}_info`,
      help: "Which version runs; always 1.",
      type: "gauge",
      samples: [{ labels: { version: figures.version }, value: 1 }],
    },
    {
      name: "process_resident_memory_bytes",
      help: "Resident memory of the process.",
      type: "gauge",
      samples: [{ value: figures.residentBytes }],
    },
    {
      name: "process_start_time_seconds",
      help: "When the process started, seconds since 1970.",
      type: "gauge",
      samples: [{ value: figures.startedAt / 1000 }],
    },
  ];
}
