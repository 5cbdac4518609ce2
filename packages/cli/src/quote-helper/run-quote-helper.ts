import { type AesmError, openSocketFile, type SocketFile, startWorkerPool, type WorkerPool } from "@confcom/aesm";
import { openPlatform } from "@confcom/quoting";
import type { CpuProfile, CpuSvnName, SoftwarePlatform } from "@confcom/quoting/software";
import { ECDSA_P256_KEY_ID, toHex } from "@confcom/sgx";
import type { Logger } from "pino";
import { ExitCode } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { type Configuration, type LogLevel, readConfiguration } from "./configuration.ts";
import { createLog, logServerEvent } from "./log.ts";
import type { SharedState, WorkerRequest } from "./shared-state.ts";
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
}

type Pool = WorkerPool<SharedState, WorkerRequest, undefined>;

/**
 * The daemon: binds the socket, owns the platform's state, starts the workers and waits. Resolves when it was told to
 * stop, or lost its socket path to a successor, and everybody who had connected is answered. Throws on every failure to
 * start.
 */
export async function runQuoteHelper(options: QuoteHelperOptions, output: Output): Promise<void> {
  const configuration = readConfiguration(options.configurationPath, options.logLevel);
  const log = createLog(configuration.logLevel);
  const socketFile = await openSocketFile({ path: options.socketPath, takeover: options.takeover });
  try {
    const platform = await openPlatformFor(options, log);
    const helper = new QuoteHelper(options, configuration, log, platform, socketFile);
    await helper.run(output);
  } catch (error) {
    socketFile.remove();
    throw error;
  }
}

function openPlatformFor(options: QuoteHelperOptions, log: Logger): Promise<SoftwarePlatform> {
  const warn = (text: string) => log.warn(text);
  return openPlatform({
    name: options.platform,
    state: openState(options.stateDirectory, warn),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    cpuSvn: options.cpuSvn,
    now: () => new Date(),
    random: systemRandom,
    warn,
  });
}

class QuoteHelper {
  readonly #options: QuoteHelperOptions;
  readonly #log: Logger;
  readonly #platform: SoftwarePlatform;
  readonly #socketFile: SocketFile;
  #configuration: Configuration;
  #pool: Pool | undefined;
  #stop: (why: string) => void = () => {};

  constructor(
    options: QuoteHelperOptions,
    configuration: Configuration,
    log: Logger,
    platform: SoftwarePlatform,
    socketFile: SocketFile,
  ) {
    this.#options = options;
    this.#configuration = configuration;
    this.#log = log;
    this.#platform = platform;
    this.#socketFile = socketFile;
  }

  async run(output: Output): Promise<void> {
    const stopped = new Promise<string>((resolve) => {
      this.#stop = resolve;
    });
    process.on("SIGTERM", () => this.#stop("SIGTERM"));
    process.on("SIGINT", () => this.#stop("SIGINT"));
    process.on("SIGHUP", () => void this.#reload());
    const pool = await this.#startPool();
    try {
      await this.#socketFile.publish();
    } catch (error) {
      await pool.close(0);
      throw error;
    }
    this.#socketFile.watch((reason) => {
      // A successor took the path over: that is an orderly end. Nothing there at all: the supervisor must start us again.
      if (reason === "removed") process.exitCode = ExitCode.UNAVAILABLE;
      this.#stop(`the socket path is no longer ours: ${reason}`);
    });
    this.#announce(output);
    const why = await stopped;
    this.#log.info(`stopping: ${why}`);
    this.#socketFile.remove();
    await pool.close();
    await this.#platform.close();
    this.#log.info("stopped: everybody who had connected is answered");
  }

  async #startPool(): Promise<Pool> {
    const pool: Pool = await startWorkerPool<SharedState, WorkerRequest, undefined>({
      entry: workerEntry(),
      count: this.#options.workers,
      fd: this.#socketFile.fd,
      initialState: this.#sharedState(),
      onRequest: async () => {
        await this.#platform.initQuote(ECDSA_P256_KEY_ID);
        return undefined;
      },
      onEvent: (event) => logServerEvent(this.#log, event),
      onDeath: (error) => this.#workerDied(error),
    });
    this.#pool = pool;
    // A key that was made while the workers started reaches them with the first publication.
    this.#platform.onSnapshot(() => pool.publish(this.#sharedState()));
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
      });
      return;
    }
    const keyText = key === undefined ? "made at the first init_quote_ex" : toHex(key);
    output.line(
      `ready: ${socketPath}, software platform (${profile}, CPUSVN ${cpuSvn}), ${workers} workers, attestation key ${keyText}; its quotes prove nothing about hardware`,
    );
  }
}

/** The worker's module: beside this one as source, beside the entry point in the bundle. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./quote-helper-worker.mjs", import.meta.url);
}
