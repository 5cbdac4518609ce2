import type { ServiceEvent } from "../report.ts";
import type { HttpMetric } from "./metrics.ts";

/** Counts what the service reports. Labels come from fixed sets and the configured source's name. */
export class ServiceFigures {
  readonly #counts = new Map<string, Map<string, { labels: Readonly<Record<string, string>>; value: number }>>();
  /** By kind: the times of the document that this process stored last. */
  readonly #documents = new Map<string, { issued: number; nextUpdate: number }>();

  /** To be given to the service. */
  readonly report = (event: ServiceEvent): void => {
    switch (event.event) {
      case "hit":
        this.#count("hits", { kind: event.kind, stale: String(event.stale) });
        return;
      case "miss":
        this.#count("misses", { kind: event.kind });
        return;
      case "negative-hit":
        this.#count("negative_hits", { kind: event.kind, status: String(event.status) });
        return;
      case "upstream":
        this.#count("upstream_calls", {
          operation: event.operation,
          source: event.source,
          outcome: event.outcome,
        });
        return;
      case "budget-refused":
        this.#count("budget_refused", { share: event.share, limit: event.limit });
        return;
      case "refresh":
        this.#count("refreshes", { what: event.what, trigger: event.trigger, outcome: event.outcome });
        return;
      case "registered":
        this.#count("registrations", { outcome: event.outcome });
        return;
      case "document":
        this.#documents.set(event.kind, { issued: event.issued, nextUpdate: event.nextUpdate });
    }
  };

  /** `now`: milliseconds since 1970, for ages. */
  metrics(now: number): HttpMetric[] {
    const counters = Object.entries(HELP).map(
      ([name, help]): HttpMetric => ({
        name: `confcom_pccs_${name}_total`,
        help,
        type: "counter",
        samples: [...(this.#counts.get(name)?.values() ?? [])],
      }),
    );
    const documents = [...this.#documents].map(([kind, times]) => ({ labels: { kind }, ...times }));
    return [
      ...counters,
      {
        name: "confcom_pccs_document_age_seconds",
        help: "Since the document of a kind that this process stored last was issued.",
        type: "gauge",
        samples: documents.map(({ labels, issued }) => ({ labels, value: (now - issued) / 1000 })),
      },
      {
        name: "confcom_pccs_document_remaining_seconds",
        help: "Until the nextUpdate of the document of a kind that this process stored last; below 0: past it.",
        type: "gauge",
        samples: documents.map(({ labels, nextUpdate }) => ({ labels, value: (nextUpdate - now) / 1000 })),
      },
    ];
  }

  #count(name: keyof typeof HELP, labels: Readonly<Record<string, string>>): void {
    let samples = this.#counts.get(name);
    if (samples === undefined) {
      samples = new Map();
      this.#counts.set(name, samples);
    }
    const key = Object.values(labels).join("\n");
    const sample = samples.get(key);
    if (sample === undefined) samples.set(key, { labels, value: 1 });
    else sample.value++;
  }
}

const HELP = {
  hits: "Answers from the store; stale: past nextUpdate.",
  misses: "Requests that the store could not answer.",
  negative_hits: "Requests refused because the upstream said no a moment ago.",
  upstream_calls: "Calls of the upstream, retries included, by outcome.",
  budget_refused: "Upstream calls that the budget refused.",
  refreshes: "Rounds of refresh.",
  registrations: "Platforms registered.",
} as const;
