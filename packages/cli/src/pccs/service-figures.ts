import type { HttpMetric, ServiceEvent } from "@confcom/collateral/service";

/** Counts what the service reports. Labels come from fixed sets, so the number of samples is bounded. */
export class ServiceFigures {
  readonly #counts = new Map<string, Map<string, { labels: Readonly<Record<string, string>>; value: number }>>();
  readonly #documents = new Map<string, { issued: number; nextUpdate: number }>();

  count(event: ServiceEvent): void {
    switch (event.event) {
      case "hit":
        this.#add("store_lookups", { kind: event.kind, result: event.stale ? "stale" : "hit" });
        break;
      case "miss":
        this.#add("store_lookups", { kind: event.kind, result: "miss" });
        break;
      case "negative-hit":
        this.#add("store_lookups", { kind: event.kind, result: "negative" });
        break;
      case "upstream":
        this.#add("upstream_calls", {
          operation: event.operation,
          share: event.share,
          outcome: event.outcome,
        });
        break;
      case "budget-refused":
        this.#add("budget_refused", { share: event.share, limit: event.limit });
        break;
      case "refresh":
        this.#add("refresh_rounds", { what: event.what, trigger: event.trigger, outcome: event.outcome });
        break;
      case "refresh-progress":
        this.#add("refreshed_platforms", { outcome: "ok" }, event.refreshed);
        this.#add("refreshed_platforms", { outcome: "failed" }, event.failed);
        break;
      case "registered":
        this.#add("registrations", { outcome: event.outcome });
        break;
      case "document":
        this.#documents.set(event.kind, { issued: event.issued, nextUpdate: event.nextUpdate });
    }
  }

  metrics(): HttpMetric[] {
    const counters = [...this.#counts].map(
      ([name, rows]): HttpMetric => ({
        name: `confcom_pccs_${name}_total`,
        help: HELP[name] ?? name,
        type: "counter",
        samples: [...rows.values()],
      }),
    );
    const times = [...this.#documents];
    const gauge = (name: string, help: string, time: "issued" | "nextUpdate"): HttpMetric => ({
      name: `confcom_pccs_${name}`,
      help,
      type: "gauge",
      samples: times.map(([kind, document]) => ({ labels: { kind }, value: document[time] / 1000 })),
    });
    return [
      ...counters,
      gauge("document_issued_seconds", "When the document fetched last of each kind was issued, since 1970.", "issued"),
      gauge("document_next_update_seconds", "When the one fetched last of each kind ends, since 1970.", "nextUpdate"),
    ];
  }

  #add(name: string, labels: Readonly<Record<string, string>>, by = 1): void {
    const rows =
      this.#counts.get(name) ?? new Map<string, { labels: Readonly<Record<string, string>>; value: number }>();
    this.#counts.set(name, rows);
    const key = Object.values(labels).join();
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { labels, value: by });
    else row.value += by;
  }
}

const HELP: Readonly<Record<string, string>> = {
  store_lookups: "Requests that reached the store, by kind and result.",
  upstream_calls: "Calls of the upstream, by operation, share and outcome.",
  budget_refused: "Upstream calls refused to spare it, by share and limit.",
  refresh_rounds: "Rounds of refresh, by outcome.",
  refreshed_platforms: "Platforms whose certificates a round of refresh fetched anew, by thousands, by outcome.",
  registrations: "Platforms registered, by outcome.",
};
