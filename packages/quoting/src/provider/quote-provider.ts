import { AesmClient } from "@confcom/aesm";
import { Quote3 } from "@confcom/sgx";
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
  /** Loads the platform into this process; called in-process only, at the first call that needs it. */
  readonly openPlatform: OpenPlatform;
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
    this.mode = quotingModeOf(options.env);
    this.#guard = options.guard ?? processQuotingMode;
    this.#quoting =
      this.mode === "in-process"
        ? new InProcessQuoting(options.openPlatform)
        : new OutOfProcessQuoting(options.connect ?? (() => new AesmClient()));
  }

  getTargetInfo(): Promise<Uint8Array> {
    return this.#use((quoting) => quoting.targetInfo());
  }

  getQuoteSize(): Promise<number> {
    return this.#use((quoting) => quoting.quoteSize());
  }

  getQuote(report: Uint8Array, quoteSize: number): Promise<Uint8Array> {
    return this.#use((quoting) => quoting.quote(report, quoteSize));
  }

  setEnclaveLoadPolicy(policy: EnclaveLoadPolicy): Promise<void> {
    return this.#use(async (quoting) => {
      if (this.mode === "in-process" && policy !== "persistent" && policy !== "ephemeral") {
        throw new QuoteProviderError(
          Quote3.UNSUPPORTED_LOADING_POLICY,
          `"${policy}" is no enclave load policy; use "persistent" or "ephemeral"`,
        );
      }
      await quoting.setLoadPolicy(policy);
    });
  }

  close(): Promise<void> {
    return this.#quoting.close();
  }

  /** The mode is taken by the first call, not by making a provider: an application may make one and never use it. */
  async #use<T>(call: (quoting: Quoting) => Promise<T>): Promise<T> {
    try {
      this.#guard.claim(this.mode);
      return await call(this.#quoting);
    } catch (error) {
      throw asProviderError(error);
    }
  }
}

/** Makes a provider in the mode that the environment asks for. Nothing is loaded or connected before the first call. */
export function createQuoteProvider(options: QuoteProviderOptions): QuoteProvider {
  return new Provider(options);
}
