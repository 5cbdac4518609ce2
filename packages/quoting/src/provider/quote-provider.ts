import type { AesmClient } from "@confcom/aesm";
import { Quote3, REPORT_SIZE } from "@confcom/sgx";
import { PlatformError } from "../errors.ts";
import type { StateWarning } from "../state/index.ts";
import {
  connectToQuoteHelper,
  DEFAULT_RETRY_FOR_MS,
  DEFAULT_STATE_DIRECTORY,
  openDefaultPlatform,
} from "./default-platform.ts";
import { InProcessQuoting, type OpenPlatform } from "./in-process.ts";
import { OutOfProcessQuoting } from "./out-of-process.ts";
import { processQuotingMode } from "./process-quoting-mode.ts";
import { asProviderError, QuoteProviderError } from "./quote-provider-error.ts";
import { type QuotingMode, type QuotingModeGuard, quotingModeOf } from "./quoting-mode.ts";

/** How long the platform stays loaded in the caller's process: for good, or around each call (spec: DCAP §7). */
export type EnclaveLoadPolicy = "persistent" | "ephemeral";

/** What both modes offer; failures of any kind are for {@link asProviderError} to name. */
export interface Quoting {
  targetInfo(): Promise<Uint8Array>;
  quoteSize(): Promise<number>;
  quote(report: Uint8Array, quoteSize: number): Promise<Uint8Array>;
  setLoadPolicy(policy: EnclaveLoadPolicy): Promise<void>;
  close(): Promise<void>;
}

export interface QuoteProviderOptions {
  /** The environment: `SGX_AESM_ADDR` present, with any value, means out-of-process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** In-process only: whose platform is opened, and made if it is new. Default: `/var/lib/confcom`. */
  readonly stateDirectory?: string;
  /** In-process only: gets sentences about the state for the operator. Default: nobody does. */
  readonly warn?: StateWarning;
  /**
   * Loads the platform into this process; called in-process only, at the first call that needs it. Default: the software
   * platform of `stateDirectory`, with the machine's clock, randomness and file system.
   */
  readonly openPlatform?: OpenPlatform;
  /**
   * Out-of-process only: how long, in ms of each call, a quote helper that is away (being updated, or not yet started)
   * is waited for; 0 fails at once. Default: 10000. Without effect where `connect` is given.
   */
  readonly retryForMs?: number;
  /** Reaches the quote helper; called out-of-process only. Default: the socket where every AESM client looks. */
  readonly connect?: () => AesmClient;
  /** Which mode this process is in. Default: the guard of the whole process. */
  readonly guard?: QuotingModeGuard;
}

/**
 * Quotes for an application, after DCAP's quote library: get the target info, make a report for it, get the size, get
 * the quote. Failures are QuoteProviderError with a quote3_error_t, or PlatformError PROVIDER_MODE_FIXED.
 */
export interface QuoteProvider {
  readonly mode: QuotingMode;
  /** sgx_qe_get_target_info: 512 bytes, whom the report must be for. Makes the attestation key when there is none. */
  getTargetInfo(): Promise<Uint8Array>;
  /** sgx_qe_get_quote_size: bytes that a quote takes. 0xE00F before the target info was asked for on a new platform. */
  getQuoteSize(): Promise<number>;
  /**
   * sgx_qe_get_quote: the quote over a 432-byte report, in `quoteSize` bytes, zero padded; 0xE002 when that is too few.
   * 0xE00F means the key's TCB moved: get the target info and make the report again.
   */
  getQuote(report: Uint8Array, quoteSize: number): Promise<Uint8Array>;
  /** sgx_qe_set_enclave_load_policy. Out of process 0xE03E; 0xE00C for a policy that does not exist. */
  setEnclaveLoadPolicy(policy: EnclaveLoadPolicy): Promise<void>;
  close(): Promise<void>;
}

class Provider implements QuoteProvider {
  readonly mode: QuotingMode;
  readonly #guard: QuotingModeGuard;
  readonly #quoting: Quoting;

  constructor(options: QuoteProviderOptions) {
    checkOptions(options);
    this.mode = quotingModeOf(options.env);
    this.#guard = options.guard ?? processQuotingMode;
    const { stateDirectory = DEFAULT_STATE_DIRECTORY, retryForMs = DEFAULT_RETRY_FOR_MS, warn = () => {} } = options;
    this.#quoting =
      this.mode === "in-process"
        ? new InProcessQuoting(options.openPlatform ?? (() => openDefaultPlatform(stateDirectory, warn)))
        : new OutOfProcessQuoting(options.connect ?? (() => connectToQuoteHelper(retryForMs)));
  }

  getTargetInfo(): Promise<Uint8Array> {
    return this.#use((quoting) => quoting.targetInfo());
  }

  getQuoteSize(): Promise<number> {
    return this.#use((quoting) => quoting.quoteSize());
  }

  getQuote(report: Uint8Array, quoteSize: number): Promise<Uint8Array> {
    return this.#use(
      (quoting) => quoting.quote(report, quoteSize),
      () => checkQuoteArguments(report, quoteSize),
    );
  }

  setEnclaveLoadPolicy(policy: EnclaveLoadPolicy): Promise<void> {
    return this.#use(
      (quoting) => quoting.setLoadPolicy(policy),
      () => {
        if (this.mode === "in-process") checkLoadPolicy(policy);
      },
    );
  }

  close(): Promise<void> {
    return this.#quoting.close();
  }

  /**
   * The mode is taken by the first call, not by making a provider: an application may make one and never use it. A call
   * whose arguments are wrong is no use yet. One that fails later is: DCAP's library too has its mode from when it is
   * loaded, and a process whose platform did not open must not turn up in the other mode, with another key, unnoticed.
   */
  async #use<T>(call: (quoting: Quoting) => Promise<T>, checkArguments: () => void = () => {}): Promise<T> {
    try {
      checkArguments();
      this.#guard.claim(this.mode);
      return await call(this.#quoting);
    } catch (error) {
      throw asProviderError(error);
    }
  }
}

/** Callers without types get a sentence too, before anything is taken. */
function checkOptions(options: QuoteProviderOptions): void {
  const { env, stateDirectory, retryForMs, openPlatform, connect, warn } = options;
  const refuse = (what: string) => new PlatformError("OPTION_INVALID", `createQuoteProvider: ${what}`);
  if (typeof env !== "object" || env === null) throw refuse("env is not an object; pass the process's environment");
  if (stateDirectory !== undefined && typeof stateDirectory !== "string") throw refuse("stateDirectory is not a path");
  if (retryForMs !== undefined && !(Number.isInteger(retryForMs) && retryForMs >= 0 && retryForMs <= 600_000)) {
    throw refuse("retryForMs is not a whole number of milliseconds from 0 to 600000");
  }
  for (const [name, value] of Object.entries({ openPlatform, connect, warn })) {
    if (value !== undefined && typeof value !== "function") throw refuse(`${name} is not a function`);
  }
}

function checkQuoteArguments(report: Uint8Array, quoteSize: number): void {
  if (!(report instanceof Uint8Array) || report.length !== REPORT_SIZE) {
    throw new QuoteProviderError(Quote3.INVALID_PARAMETER, `a report is ${REPORT_SIZE} bytes`);
  }
  if (!Number.isInteger(quoteSize) || quoteSize < 1 || quoteSize > 0xffff_ffff) {
    throw new QuoteProviderError(Quote3.INVALID_PARAMETER, `${quoteSize} is no size of a quote in bytes`);
  }
}

function checkLoadPolicy(policy: EnclaveLoadPolicy): void {
  if (policy === "persistent" || policy === "ephemeral") return;
  throw new QuoteProviderError(
    Quote3.UNSUPPORTED_LOADING_POLICY,
    `"${policy}" is no enclave load policy; use "persistent" or "ephemeral"`,
  );
}

/**
 * Makes a provider in the mode that the environment asks for. Nothing is loaded or connected before the first call.
 * Fails with OPTION_INVALID when an option is not of its type.
 */
export function createQuoteProvider(options: QuoteProviderOptions): QuoteProvider {
  return new Provider(options);
}
