import { AesmClient, type CountersSnapshot, type SocketFile } from "@confcom/aesm";
import {
  type ListenAddress,
  type MetricFamily,
  metricsText,
  processMetrics,
  type StatusServer,
  startStatusServer,
} from "@confcom/kubernetes/status";
import type { SoftwarePlatform } from "@confcom/quoting/software";
import { toHex } from "@confcom/sgx";
import { VERSION } from "../../version.ts";
import type { CertifyingService } from "../provisioning/certifying-service.ts";
import { provisioningMetrics, provisioningStatus, rootFingerprint } from "./provisioning-status.ts";
import { connectionFigures, type PlatformStatus, type QuoteHelperStatus } from "./quote-helper-status.ts";
import { type Readiness, ReadinessCheck } from "./readiness.ts";

/** How long the readiness check waits for its own init_quote_ex, ms. */
const PROBE_TIMEOUT = 2000;

export interface HealthOptions {
  readonly listen: ListenAddress;
  readonly node: string | undefined;
  readonly workers: number;
}

/** `/readyz`, `/healthz`, `/status` and `/metrics` of a quote helper; there from its first moment to its last. */
export class HealthEndpoint {
  readonly #options: HealthOptions;
  readonly #socketFile: SocketFile;
  readonly #readiness: ReadinessCheck;
  readonly #startedAt = new Date();
  #server: StatusServer | undefined;
  #platform: SoftwarePlatform | undefined;
  #service: CertifyingService | undefined;
  #counters: () => readonly CountersSnapshot[] = () => [];
  #last: Readiness | undefined;

  private constructor(options: HealthOptions, socketFile: SocketFile) {
    this.#options = options;
    this.#socketFile = socketFile;
    const client = new AesmClient({ socketPath: socketFile.path, timeoutMs: PROBE_TIMEOUT, connectAttempts: 1 });
    this.#readiness = new ReadinessCheck({
      socketPath: socketFile.path,
      isOurs: () => socketFile.isOurs(),
      probe: async () => {
        await client.initQuote(undefined, { pubKeyIdSize: 32 });
      },
      now: () => performance.now(),
    });
  }

  /** Listens. Throws KubernetesError `STATUS_ADDRESS_UNUSABLE`. */
  static async open(options: HealthOptions, socketFile: SocketFile): Promise<HealthEndpoint> {
    const endpoint = new HealthEndpoint(options, socketFile);
    endpoint.#server = await startStatusServer(options.listen, {
      status: () => endpoint.status(),
      healthy: () => ({ ok: true, why: "the main thread answers" }),
      ready: () => endpoint.ready(),
      metrics: () => metricsText(endpoint.#metrics()),
    });
    return endpoint;
  }

  get address(): ListenAddress {
    return this.#server?.address ?? this.#options.listen;
  }

  /** `service`: what certifies the platform, if it is not its own authority. */
  platformOpened(platform: SoftwarePlatform, service?: CertifyingService): void {
    this.#platform = platform;
    this.#service = service;
  }

  poolStarted(counters: () => readonly CountersSnapshot[]): void {
    this.#counters = counters;
  }

  serving(): void {
    this.#readiness.serving();
  }

  stopping(why: string): void {
    this.#readiness.stopping(why);
  }

  async ready(): Promise<Readiness> {
    const { ok, why } = await this.#readiness.verdict();
    // The wire carries a code; the cause is known here.
    const failure = ok ? undefined : this.#service?.authority.status.failure;
    this.#last = { ok, why: failure === undefined ? why : `${why}; ${failure.message}` };
    return this.#last;
  }

  status(): QuoteHelperStatus {
    return {
      version: VERSION,
      node: this.#options.node ?? null,
      now: new Date().toISOString(),
      startedAt: this.#startedAt.toISOString(),
      phase: this.#readiness.phase,
      ready: this.#last ?? null,
      socket: { path: this.#socketFile.path, ours: this.#socketFile.isOurs() },
      platform: this.#platformStatus(),
      provisioning:
        this.#service === undefined || this.#platform === undefined
          ? null
          : provisioningStatus(this.#service.authority, this.#platform),
      workers: this.#options.workers,
      connections: connectionFigures(this.#counters()),
    };
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #platformStatus(): PlatformStatus | null {
    if (this.#platform === undefined) return null;
    const { profile, cpuSvn } = this.#platform;
    const key = this.#platform.snapshot().key?.pubKeyId;
    const root = rootFingerprint(this.#platform.authority);
    return { name: "software", profile, cpuSvn, attestationKey: key === undefined ? null : toHex(key), root };
  }

  #metrics(): MetricFamily[] {
    const { accepted, open, answers, dropped } = connectionFigures(this.#counters());
    const prefix = "confcom_quote_helper";
    const residentBytes = process.memoryUsage.rss();
    const startedAt = this.#startedAt.getTime() / 1000;
    return [
      ...(this.#service === undefined ? [] : provisioningMetrics(prefix, this.#service.authority)),
      ...processMetrics(prefix, { residentBytes, startedAt, version: VERSION }),
      {
        name: `${prefix}_ready`,
        help: "Whether the last readiness check passed.",
        type: "gauge",
        samples: [{ value: this.#last?.ok === true ? 1 : 0 }],
      },
      {
        name: `${prefix}_connections_accepted_total`,
        help: "Connections accepted.",
        type: "counter",
        samples: [{ value: accepted }],
      },
      { name: `${prefix}_connections_open`, help: "Connections open now.", type: "gauge", samples: [{ value: open }] },
      {
        name: `${prefix}_answers_total`,
        help: "Answers by operation and AESM error code.",
        type: "counter",
        samples: answers.map(({ operation, code, count }) => ({
          labels: { operation, code: String(code) },
          value: count,
        })),
      },
      {
        name: `${prefix}_connections_dropped_total`,
        help: "Connections closed without an answer, by reason.",
        type: "counter",
        samples: Object.entries(dropped).map(([reason, value]) => ({ labels: { reason }, value })),
      },
    ];
  }
}
