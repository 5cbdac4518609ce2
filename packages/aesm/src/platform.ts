import type { AesmErrorCode, AttestationKeyId, Quote3ErrorCode } from "@confcom/sgx";

/** A value now, or later. The software platform answers now; a platform in another process answers later. */
export type MaybePromise<T> = T | Promise<T>;

export interface InitQuoteResult {
  /** 512 bytes: the quoting enclave's target info, which the application's report must name. */
  readonly targetInfo: Uint8Array;
  /** 32 bytes for ECDSA: SHA-256 of the attestation public key and its authentication data. */
  readonly pubKeyId: Uint8Array;
}

export interface GetQuoteResult {
  /** The quote, exactly `quoteSize` bytes; the server pads it to the caller's buffer. */
  readonly quote: Uint8Array;
  /** 432 bytes: present if and only if the caller gave a qe_report_info. */
  readonly qeReport?: Uint8Array;
}

/** What the AESM server asks of whoever makes quotes (spec: AESM §6; DCAP §7). Failures are {@link QuotingError}. */
export interface QuotingPlatform {
  readonly name: "software" | "dcap";
  /** The key ids this platform offers; empty when its quoting enclave did not load. */
  supportedKeyIds(): readonly AttestationKeyId[];
  /** Size in bytes of the public key id: the size query, which touches no enclave. */
  pubKeyIdSize(keyId: AttestationKeyId): number;
  /** Creates or reloads the attestation key, certifies it, and says whom the report must be for. */
  initQuote(keyId: AttestationKeyId): MaybePromise<InitQuoteResult>;
  /** Bytes that {@link getQuote} will return. Fails with 42 before a successful {@link initQuote}. */
  quoteSize(keyId: AttestationKeyId): MaybePromise<number>;
  /** Turns a 432-byte report into a quote; `qeReportInfo` (960 bytes) asks for the QE's own report over it. */
  getQuote(
    keyId: AttestationKeyId,
    report: Uint8Array,
    qeReportInfo?: Uint8Array,
    signal?: AbortSignal,
  ): MaybePromise<GetQuoteResult>;
  close(): Promise<void>;
}

/** A quoting failure with the code for the wire, the code for DCAP callers, and words for the person who runs it. */
export class QuotingError extends Error {
  readonly aesm: AesmErrorCode;
  readonly quote3: Quote3ErrorCode;
  /** What the operator or the caller can do next. */
  readonly nextStep: string;

  constructor(
    message: string,
    options: { aesm: AesmErrorCode; quote3: Quote3ErrorCode; nextStep: string; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "QuotingError";
    this.aesm = options.aesm;
    this.quote3 = options.quote3;
    this.nextStep = options.nextStep;
  }
}
