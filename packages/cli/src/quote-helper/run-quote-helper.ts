import { setFlagsFromString } from "node:v8";
import { type AesmError, openSocketFile, type SocketFile, startWorkerPool, type WorkerPool } from "@confcom/aesm";
import { openPlatform } from "@confcom/quoting";
import type { CpuProfile, CpuSvnName, SoftwarePlatform } from "@confcom/quoting/software";
import { ECDSA_P256_KEY_ID, toHex } from "@confcom/sgx";
import type { Logger } from "pino";
import { ExitCode } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import { type Configuration, type LogLevel, readConfiguration } from "./configuration.ts";
import { DaemonSignals } from "./daemon-signals.ts";
import type { HealthEndpoint } from "./health/health-endpoint.ts";
import { createLog, logServerEvent } from "./log.ts";
import { certification } from "./provisioning/certifying-service.ts";
import { type PccsSettings, pccsAccess } from "./provisioning/pccs-settings.ts";
import { ProvisioningWatch } from "./provisioning/provisioning-watch.ts";
import type { SharedState, WorkerRequest, WorkerSettings } from "./shared-state.ts";
import { openState, systemRandom } from "./state.ts";

export interface QuoteHelperOptions {
  readonly socketPath: string;
  readonly stateDirectory: string;
  readonly platform: string;
  readonly profile: CpuProfile | undefined;
  readonly cpuSvn: CpuSvnName;
  readonly workers: number;
  readonly takeover: boolean;
  readonly configurationPath: string | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly jsonReadyLine: boolean;
  /** Where `/readyz` and the rest are served; undefined: nowhere. */
  readonly healthListen?: { readonly host: string; readonly port: number } | undefined;
  /** Shown in `/status`. */
  readonly nodeName?: string | undefined;
  /** The service that certifies the platform; what is left out here is looked for in the configuration file. */
  readonly pccs?: PccsSettings;
}

type Pool = WorkerPool<SharedState, WorkerRequest, undefined>;

/**
 * The daemon: binds the socket, owns the platform's state, starts the workers and waits. Ends when it was told to stop,
 * or lost its socket path, and everybody who had connected is answered. Throws on every failure to start.
 */
export async function runQuoteHelper(options: QuoteHelperOptions, output: Output): Promise<void> {
  const configuration = readConfiguration(options.configurationPath, options.logLevel);
  const log = createLog(configuration.logLevel);
  // Before anything is made that a signal could leave behind.
  const signals = new DaemonSignals();
  let socketFile: SocketFile | undefined;
  let health: HealthEndpoint | undefined;
  let watch: ProvisioningWatch | undefined;
  try {
    socketFile = await openSocketFile({ path: options.socketPath, takeover: options.takeover });
    health = await openHealth(options, socketFile);
    const { platform, service } = await openPlatformFor(options, configuration, log);
    health?.platformOpened(platform, service);
    if (service !== undefined) watch = new ProvisioningWatch(platform, service, log);
    await new QuoteHelper(options, configuration, log, platform, socketFile, signals, health, watch).run(output);
  } finally {
    watch?.close();
    socketFile?.remove();
    await health?.close();
    signals.release();
  }
}

/** Loaded only where it is asked for: HTTP costs a daemon some megabytes. */
async function openHealth(options: QuoteHelperOptions, socketFile: SocketFile): Promise<HealthEndpoint | undefined> {
  const { healthListen, nodeName, workers } = options;
  if (healthListen === undefined) return undefined;
  const { HealthEndpoint } = await import("./health/health-endpoint.ts");
  return HealthEndpoint.open({ listen: healthListen, node: nodeName, workers }, socketFile);
}

async function openPlatformFor(options: QuoteHelperOptions, configuration: Configuration, log: Logger) {
  const warn = (text: string) => log.warn(text);
  const access = pccsAccess(options.pccs ?? {}, configuration.pccs);
  const state = openState(options.stateDirectory, warn);
  const certified = await certification(state, access, warn);
  const platform = await openPlatform({
    name: options.platform,
    state,
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    cpuSvn: options.cpuSvn,
    now: () => new Date(),
    random: systemRandom,
    warn,
    ...certified.options,
  });
  return { platform, service: certified.service() };
}

class QuoteHelper {
  readonly #options: QuoteHelperOptions;
  readonly #log: Logger;
  readonly #platform: SoftwarePlatform;
  readonly #socketFile: SocketFile;
  readonly #signals: DaemonSignals;
  readonly #health: HealthEndpoint | undefined;
  readonly #watch: ProvisioningWatch | undefined;
  #configuration: Configuration;
  #pool: Pool | undefined;

  constructor(
    options: QuoteHelperOptions,
    configuration: Configuration,
    log: Logger,
    platform: SoftwarePlatform,
    socketFile: SocketFile,
    signals: DaemonSignals,
    health: HealthEndpoint | undefined,
    watch: ProvisioningWatch | undefined,
  ) {
    this.#options = options;
    this.#configuration = configuration;
    this.#log = log;
    this.#platform = platform;
    this.#socketFile = socketFile;
    this.#signals = signals;
    this.#health = health;
    this.#watch = watch;
  }

  async run(output: Output): Promise<void> {
    const pool = await this.#startPool();
    try {
      if (!this.#signals.stopRequested) await this.#serve(output);
    } finally {
      this.#socketFile.remove();
      await pool.close();
      await this.#platform.close();
    }
    this.#log.info("stopped: everybody who had connected is answered");
  }

  async #serve(output: Output): Promise<void> {
    await this.#socketFile.publish();
    this.#health?.serving();
    this.#socketFile.watch((reason) => {
      // A successor took the path over: that is an orderly end. Nothing there at all: the supervisor must start us again.
      if (reason === "removed") process.exitCode = ExitCode.UNAVAILABLE;
      this.#signals.stop(`the socket path is no longer ours: ${reason}`);
    });
    this.#signals.onReload(() => this.#reload());
    try {
      this.#announce(output);
    } catch (error) {
      // Nobody may be reading, or the disk behind standard output may be full: clients are served all the same.
      this.#log.warn(`the ready line could not be written: ${error instanceof Error ? error.message : String(error)}`);
    }
    const why = await this.#signals.stopped;
    this.#health?.stopping(why);
    this.#log.info(`stopping: ${why}`);
  }

  async #startPool(): Promise<Pool> {
    // One compiler fewer in each event loop saves megabytes, and the little JavaScript there is gains nothing from it.
    setFlagsFromString("--no-maglev");
    const pool: Pool = await startWorkerPool<SharedState, WorkerRequest, undefined>({
      entry: workerEntry(),
      count: this.#options.workers,
      fd: this.#socketFile.fd,
      initialState: this.#sharedState(),
      data: { spareLoops: this.#configuration.spareLoops } satisfies WorkerSettings,
      onRequest: async () => {
        await this.#platform.initQuote(ECDSA_P256_KEY_ID);
        return undefined;
      },
      onEvent: (event) => logServerEvent(this.#log, event),
      onDeath: (error) => this.#workerDied(error),
    });
    this.#pool = pool;
    this.#health?.poolStarted(() => pool.counters());
    // A key that was made while the workers started reaches them with the first publication.
    this.#platform.onSnapshot(() => pool.publish(this.#sharedState()));
    this.#watch?.start();
    return pool;
  }

  #sharedState(): SharedState {
    return { snapshot: this.#platform.snapshot(), limits: this.#configuration.limits };
  }

  /** The shared descriptor is gone with the worker: the supervisor starts the process again. */
  #workerDied(error: AesmError): never {
    this.#log.fatal({ code: error.code }, error.message);
    this.#socketFile.remove();
    process.exit(ExitCode.INTERNAL);
  }

  /** SIGHUP: whatever cannot be read leaves the present one in force. */
  async #reload(): Promise<void> {
    const { configurationPath, logLevel } = this.#options;
    try {
      this.#configuration = readConfiguration(configurationPath, logLevel);
      this.#log.level = this.#configuration.logLevel;
      await this.#pool?.publish(this.#sharedState());
      await this.#platform.reload();
      this.#log.info("SIGHUP: configuration and state read again");
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log.error({ code: (error as { code?: unknown }).code }, `SIGHUP: kept what was in force: ${message}`);
    }
  }

  #announce(output: Output): void {
    const { socketPath, workers } = this.#options;
    const { profile, cpuSvn } = this.#platform;
    const key = this.#platform.snapshot().key?.pubKeyId;
    if (this.#options.jsonReadyLine) {
      const pid = process.pid;
      output.jsonLine({
        ready: true,
        pid,
        socket: socketPath,
        platform: "software",
        profile,
        cpuSvn,
        workers,
        key: key ?? null,
        ...(this.#health === undefined ? {} : { health: this.#health.address }),
      });
      return;
    }
    const keyText = key === undefined ? "made at the first init_quote_ex" : toHex(key);
    output.line(
      `ready: ${printable(socketPath)}, software platform (${profile}, CPUSVN ${cpuSvn}), ${workers} workers, attestation key ${keyText}; its quotes prove nothing about hardware`,
    );
  }
}

/** The worker's module: beside this one as source, beside the entry point in the bundle. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./quote-helper-worker.mjs", import.meta.url);
}
