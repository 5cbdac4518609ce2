import type { AttestationKeyId } from "@confcom/sgx";
import {
  writeInitQuoteReply,
  writeNumberReply,
  writeQuoteRefusal,
  writeQuoteReply,
  writeRefusal,
} from "../messages/reply-writer.ts";
import type { GetQuoteResult, InitQuoteResult, MaybePromise, QuotingPlatform } from "../platform.ts";
import { badParameter, RefusalError } from "./refusal.ts";

/** A checked request that needs the quoting enclave. It owns its bytes, so it may run in a later turn of the loop. */
export interface PlatformCall {
  readonly operation: number;
  /** Asks the platform; fails with QuotingError or RefusalError. */
  run(platform: QuotingPlatform, signal: AbortSignal | undefined): MaybePromise<void>;
  /** Writes the successful reply after {@link run}; returns its length. */
  writeReply(out: Uint8Array): number;
  writeRefusal(out: Uint8Array, code: number): number;
}

/** init_quote_ex with b_pub_key_id: makes or reloads the attestation key. */
export class InitQuoteCall implements PlatformCall {
  readonly operation = 15;
  readonly #keyId: AttestationKeyId;
  readonly #bufSize: number;
  #result: InitQuoteResult | undefined;

  constructor(keyId: AttestationKeyId, bufSize: number) {
    this.#keyId = keyId;
    this.#bufSize = bufSize;
  }

  run(platform: QuotingPlatform): MaybePromise<void> {
    const result = platform.initQuote(this.#keyId);
    if (isPromise(result)) return result.then((value) => this.#accept(value));
    return this.#accept(result);
  }

  writeReply(out: Uint8Array): number {
    const result = this.#result as InitQuoteResult;
    return writeInitQuoteReply(out, result.targetInfo, result.pubKeyId.length, result.pubKeyId);
  }

  writeRefusal(out: Uint8Array, code: number): number {
    return writeRefusal(out, this.operation, code, this.#bufSize);
  }

  #accept(result: InitQuoteResult): void {
    if (result.targetInfo.length !== 512 || result.pubKeyId.length !== this.#bufSize) {
      throw new TypeError(
        `initQuote returned ${result.targetInfo.length} and ${result.pubKeyId.length} bytes, not 512 and ${this.#bufSize}`,
      );
    }
    this.#result = result;
  }
}

/** get_quote_size_ex. */
export class QuoteSizeCall implements PlatformCall {
  readonly operation = 16;
  readonly #keyId: AttestationKeyId;
  #size = 0;

  constructor(keyId: AttestationKeyId) {
    this.#keyId = keyId;
  }

  run(platform: QuotingPlatform): MaybePromise<void> {
    const size = platform.quoteSize(this.#keyId);
    if (typeof size === "number") {
      this.#size = size;
      return undefined;
    }
    return size.then((value) => {
      this.#size = value;
    });
  }

  writeReply(out: Uint8Array): number {
    return writeNumberReply(out, this.operation, this.#size);
  }

  writeRefusal(out: Uint8Array, code: number): number {
    return writeRefusal(out, this.operation, code);
  }
}

/** get_quote_ex. The size comes first: a missing key (42) and a short buffer (3) are found before the report is looked at. */
export class QuoteCall implements PlatformCall {
  readonly operation = 17;
  readonly #keyId: AttestationKeyId;
  readonly #report: Uint8Array;
  readonly #qeReportInfo: Uint8Array | undefined;
  readonly #bufSize: number;
  #result: GetQuoteResult | undefined;

  constructor(keyId: AttestationKeyId, report: Uint8Array, qeReportInfo: Uint8Array | undefined, bufSize: number) {
    this.#keyId = keyId;
    this.#report = report;
    this.#qeReportInfo = qeReportInfo;
    this.#bufSize = bufSize;
  }

  run(platform: QuotingPlatform, signal: AbortSignal | undefined): MaybePromise<void> {
    const size = platform.quoteSize(this.#keyId);
    if (typeof size === "number") return this.#quote(platform, size, signal);
    return size.then((value) => {
      signal?.throwIfAborted();
      return this.#quote(platform, value, signal);
    });
  }

  writeReply(out: Uint8Array): number {
    const result = this.#result as GetQuoteResult;
    return writeQuoteReply(out, result.quote, this.#bufSize, this.#qeReportInfo, result.qeReport);
  }

  writeRefusal(out: Uint8Array, code: number): number {
    return writeQuoteRefusal(out, code, this.#qeReportInfo);
  }

  #quote(platform: QuotingPlatform, size: number, signal: AbortSignal | undefined): MaybePromise<void> {
    if (size > this.#bufSize) {
      throw new RefusalError(badParameter(`buf_size ${this.#bufSize} is smaller than the quote, ${size} bytes`));
    }
    const result = platform.getQuote(this.#keyId, this.#report, this.#qeReportInfo, signal);
    if (isPromise(result)) return result.then((value) => this.#accept(value));
    return this.#accept(result);
  }

  #accept(result: GetQuoteResult): void {
    if (result.quote.length > this.#bufSize) {
      throw new RefusalError(
        badParameter(`the quote grew to ${result.quote.length} bytes, over buf_size ${this.#bufSize}`),
      );
    }
    if (this.#qeReportInfo !== undefined && result.qeReport?.length !== 432) {
      throw new TypeError("getQuote returned no 432-byte QE report although a qe_report_info was given");
    }
    this.#result = result;
  }
}

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}
