import type { MetricFamily } from "@confcom/kubernetes/status";
import type { AdmissionAnswered } from "@confcom/kubernetes/webhook";

/** Requests of which the times are kept. */
const WINDOW = 4096;

/** Counts admissions. Paths and results are few and fixed, so what is kept is bounded. */
export class AdmissionFigures {
  readonly #counts = new Map<string, { labels: { path: string; result: string }; value: number }>();
  readonly #times = new Float64Array(WINDOW);
  #seconds = 0;
  #warnings = 0;
  #timed = 0;

  count({ path, result, milliseconds, warnings }: AdmissionAnswered): void {
    const labels = { path: path ?? "other", result };
    const key = `${labels.path} ${result}`;
    const row = this.#counts.get(key) ?? { labels, value: 0 };
    row.value++;
    this.#counts.set(key, row);
    this.#times[this.#timed++ % WINDOW] = milliseconds;
    this.#seconds += milliseconds / 1000;
    this.#warnings += warnings;
  }

  /** Part of `/status`. Times are those of the last 4096 requests, ms; null without any. */
  report() {
    return {
      results: [...this.#counts.values()].map(({ labels, value }) => ({ ...labels, count: value })),
      warnings: this.#warnings,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
    };
  }

  metrics(prefix: string): MetricFamily[] {
    const seconds = (share: number) => (this.#quantile(share) ?? 0) / 1000;
    return [
      {
        name: `${prefix}_admissions_total`,
        help: "Requests answered, by path and result.",
        type: "counter",
        samples: [...this.#counts.values()],
      },
      {
        name: `${prefix}_admission_warnings_total`,
        help: "Warnings given to who created a pod.",
        type: "counter",
        samples: [{ value: this.#warnings }],
      },
      {
        name: `${prefix}_admission_seconds_total`,
        help: "Time from a request's headers to its answer, all together.",
        type: "counter",
        samples: [{ value: this.#seconds }],
      },
      {
        name: `${prefix}_admission_seconds`,
        help: `The same time of the last ${WINDOW} requests.`,
        type: "gauge",
        samples: [0.5, 0.99].map((share) => ({ labels: { quantile: String(share) }, value: seconds(share) })),
      },
    ];
  }

  #quantile(share: number): number | null {
    const times = this.#times.slice(0, Math.min(this.#timed, WINDOW)).sort();
    const value = times[Math.min(times.length - 1, Math.floor(times.length * share))];
    return value === undefined ? null : Math.round(value * 1000) / 1000;
  }
}
