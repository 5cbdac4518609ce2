import { Aesm, type AttestationKeyId, ECDSA_P256_KEY_ID, Quote3 } from "@confcom/sgx";
import {
  type GetQuoteResult,
  type InitQuoteResult,
  type MaybePromise,
  QuotingError,
  type QuotingPlatform,
} from "../platform.ts";

export type RecordedCall = "initQuote" | "quoteSize" | "getQuote";

export interface RecordingPlatformOptions {
  readonly keyIds?: readonly AttestationKeyId[];
  /** Whether quoteSize and getQuote answer 42 until initQuote was called. */
  readonly initialized?: boolean;
  readonly quoteSize?: number;
  /** Answer later, after this many milliseconds. */
  readonly delayMs?: number;
  /** Thrown by getQuote. */
  readonly failure?: unknown;
}

/**
 * A platform without keys that answers as the stub behind the captured exchanges did (spec: AESM §12) and remembers what
 * it was asked.
 */
export class RecordingPlatform implements QuotingPlatform {
  readonly name = "software";
  readonly calls: RecordedCall[] = [];
  readonly reports: Uint8Array[] = [];
  /** Calls of getQuote that were begun, ended and aborted. */
  begun = 0;
  ended = 0;
  aborted = 0;
  mostAtOnce = 0;
  closed = false;

  readonly #options: RecordingPlatformOptions;
  readonly #keyIds: readonly AttestationKeyId[];
  readonly #quote: Uint8Array;
  #initialized: boolean;

  constructor(options: RecordingPlatformOptions = {}) {
    this.#options = options;
    this.#keyIds = options.keyIds ?? [ECDSA_P256_KEY_ID];
    this.#initialized = options.initialized ?? false;
    this.#quote = fillerQuote(options.quoteSize ?? 4734);
  }

  supportedKeyIds(): readonly AttestationKeyId[] {
    return this.#keyIds;
  }

  pubKeyIdSize(): number {
    return 32;
  }

  initQuote(): MaybePromise<InitQuoteResult> {
    this.calls.push("initQuote");
    this.#initialized = true;
    return this.#later({ targetInfo: STUB_TARGET_INFO, pubKeyId: STUB_PUB_KEY_ID });
  }

  quoteSize(): number {
    this.calls.push("quoteSize");
    this.#checkInitialized();
    return this.#quote.length;
  }

  getQuote(
    _keyId: AttestationKeyId,
    report: Uint8Array,
    qeReportInfo?: Uint8Array,
    signal?: AbortSignal,
  ): MaybePromise<GetQuoteResult> {
    this.calls.push("getQuote");
    this.#checkInitialized();
    this.reports.push(report);
    if (this.#options.failure !== undefined) throw this.#options.failure;
    const quote = this.#quote;
    return this.#later(qeReportInfo === undefined ? { quote } : { quote, qeReport: new Uint8Array(432) }, signal);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #later<T>(value: T, signal?: AbortSignal): MaybePromise<T> {
    const { delayMs } = this.#options;
    if (delayMs === undefined) return value;
    this.begun++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.begun - this.ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.ended++;
        resolve(value);
      }, delayMs);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        this.ended++;
        this.aborted++;
        reject(signal.reason);
      });
    });
  }

  #checkInitialized(): void {
    if (this.#initialized) return;
    throw new QuotingError("the attestation key does not exist", {
      aesm: Aesm.ATT_KEY_NOT_INITIALIZED,
      quote3: Quote3.ATT_KEY_NOT_INITIALIZED,
      nextStep: "Call init_quote_ex.",
    });
  }
}

/** What the captured target info holds: MRENCLAVE a0 a1 ... bf, attributes 0x15 and 0xe7. */
export const STUB_TARGET_INFO: Uint8Array = (() => {
  const info = new Uint8Array(512);
  for (let i = 0; i < 32; i++) info[i] = 0xa0 + i;
  info[32] = 0x15;
  info[40] = 0xe7;
  return info;
})();

export const STUB_PUB_KEY_ID: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => 0x50 + i);

/** A version 3 header and a signature data length that fits; the rest is filler. */
function fillerQuote(size: number): Uint8Array {
  const quote = new Uint8Array(size).fill(0x50);
  if (size < 436) return quote;
  quote.fill(0, 0, 436);
  quote[0] = 3;
  quote[2] = 2;
  new DataView(quote.buffer).setUint32(432, size - 436, true);
  return quote;
}
