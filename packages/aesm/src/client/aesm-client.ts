import {
  Aesm,
  type AesmOperationName,
  ATTESTATION_KEY_ID_SIZE,
  aesmErrorName,
  aesmToSgxStatus,
  ECDSA_P256_KEY_ID,
  encodeAttestationKeyId,
  encodeKeyIdList,
  SgxStatus,
  sgxStatusName,
} from "@confcom/sgx";
import { AesmError } from "../errors.ts";
import type { AesmRequest, RequestFields, ResponseFields } from "../messages/fields.ts";
import { decodeResponse, encodeRequest } from "../messages/message-codec.ts";
import type { MaybePromise } from "../platform.ts";
import { exchange } from "./exchange.ts";
import { type RetryPolicy, retrying } from "./retry.ts";

/** Where every AESM client looks (spec: AESM §1.1). */
export const DEFAULT_SOCKET_PATH = "/var/run/aesmd/aesm.socket";

export interface AesmClientOptions {
  readonly socketPath?: string;
  /** For each call, in milliseconds; Intel's clients use 15000. */
  readonly timeoutMs?: number;
  /** Attempts to connect while nobody listens; without `retry` only. */
  readonly connectAttempts?: number;
  /** Rides out the absence of the service, for instance during its update. Default: four attempts in a third of a second. */
  readonly retry?: RetryPolicy | undefined;
  /** Largest reply taken, in bytes. */
  readonly maxResponse?: number;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface InitializedQuote {
  /** 512 bytes: make the report for this. */
  readonly targetInfo: Uint8Array;
  readonly pubKeyId: Uint8Array;
}

export interface ReceivedQuote {
  /** As many bytes as the buffer that was asked for; behind the quote they are zero. */
  readonly quote: Uint8Array;
  /** 960 bytes with the QE's report filled in; present when one was sent. */
  readonly qeReportInfo?: Uint8Array;
}

export interface QuoteOptions extends CallOptions {
  readonly keyId?: Uint8Array;
  /** 960 bytes: nonce and target info for the QE's own report. */
  readonly qeReportInfo?: Uint8Array;
  /** Rounds of init, report and quote while the service answers 42. */
  readonly attempts?: number;
}

/** 256 bytes: the ECDSA-P256 key id that DCAP clients use. */
export const DEFAULT_KEY_ID: Uint8Array = encodeAttestationKeyId(ECDSA_P256_KEY_ID, ATTESTATION_KEY_ID_SIZE);

type Fields<O extends AesmOperationName> = Omit<RequestFields<O>, "operation">;

/**
 * The operations of AESM as an application calls them (spec: AESM §6). One connection per call. Every failure is an
 * AesmError: `SERVICE_REFUSED` with the AESM code, or a transport failure; both with Intel's sgx_status_t.
 */
export class AesmClient {
  readonly socketPath: string;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #retry: RetryPolicy | undefined;
  readonly #maxResponse: number;

  constructor(options: AesmClientOptions = {}) {
    this.socketPath = options.socketPath ?? DEFAULT_SOCKET_PATH;
    this.#timeoutMs = options.timeoutMs ?? 15_000;
    this.#retry = options.retry;
    this.#attempts = options.retry === undefined ? (options.connectAttempts ?? 4) : 1;
    this.#maxResponse = options.maxResponse ?? 1024 * 1024;
  }

  /** Any of the 16 operations, with its reply whatever its error code. */
  async request<O extends AesmOperationName>(
    operation: O,
    fields: Fields<O>,
    options: CallOptions = {},
  ): Promise<ResponseFields<O>> {
    return this.#retrying(operation, fields, options, (reply) => reply);
  }

  /** `check` may refuse a reply by throwing; whether the call is then made again is the retry policy's matter. */
  async #retrying<O extends AesmOperationName>(
    operation: O,
    fields: Fields<O>,
    options: CallOptions,
    check: (reply: ResponseFields<O>) => ResponseFields<O>,
  ): Promise<ResponseFields<O>> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    const frame = this.#encode({ ...fields, operation } as unknown as AesmRequest);
    const attempt = async (ms: number) => check(await this.#exchange(operation, frame, ms, signal));
    return this.#retry === undefined
      ? attempt(timeoutMs)
      : retrying(this.#retry, { operation, timeoutMs, signal }, attempt);
  }

  async #exchange<O extends AesmOperationName>(
    operation: O,
    frame: Uint8Array,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<ResponseFields<O>> {
    const body = await exchange(frame, {
      socketPath: this.socketPath,
      operation,
      timeoutMs,
      attempts: this.#attempts,
      maxResponse: this.#maxResponse,
      signal,
    });
    const details = { operation, status: SgxStatus.ERROR_UNEXPECTED };
    try {
      const response = decodeResponse(body);
      if (response.operation === operation) return response as unknown as ResponseFields<O>;
      throw new AesmError("RESPONSE_MISMATCH", `asked ${operation}, was answered ${response.operation}`, details);
    } catch (error) {
      if (error instanceof AesmError && error.code === "RESPONSE_MISMATCH") throw error;
      throw new AesmError("MESSAGE_MALFORMED", `${operation}: the reply is malformed`, { ...details, cause: error });
    }
  }

  /** How many attestation keys the service offers. */
  async supportedKeyIdCount(options?: CallOptions): Promise<number> {
    const operation = "get_supported_att_key_id_num";
    const reply = await this.#call(operation, { timeout: this.#hint(options) }, options);
    return this.#present(operation, "att_key_id_num", reply.attKeyIdNum);
  }

  /** The offered attestation key ids, 256 bytes each: the count first, then the list of exactly that size. */
  async supportedKeyIds(options?: CallOptions): Promise<Uint8Array[]> {
    const operation = "get_supported_att_key_ids";
    const size = (await this.supportedKeyIdCount(options)) * ATTESTATION_KEY_ID_SIZE;
    const reply = await this.#call(operation, { bufSize: size, timeout: this.#hint(options) }, options);
    const list = this.#sized(operation, "att_key_ids", reply.attKeyIds, size);
    return Array.from({ length: size / ATTESTATION_KEY_ID_SIZE }, (_, i) =>
      list.slice(i * ATTESTATION_KEY_ID_SIZE, (i + 1) * ATTESTATION_KEY_ID_SIZE),
    );
  }

  /** The key id to use, out of 1 to 10 given ones (256 bytes each) or, without a list, of all offered ones. */
  async selectKeyId(keyIds?: readonly Uint8Array[], options?: CallOptions): Promise<Uint8Array> {
    const operation = "select_att_key_id";
    const attKeyIdList = keyIds === undefined ? undefined : encodeKeyIdList(keyIds);
    const reply = await this.#call(operation, { attKeyIdList, timeout: this.#hint(options) }, options);
    return this.#sized(operation, "selected_att_key_id", reply.selectedAttKeyId, ATTESTATION_KEY_ID_SIZE);
  }

  /** Size in bytes of the public key id: the size query, which costs the service nothing. */
  async pubKeyIdSize(keyId: Uint8Array = DEFAULT_KEY_ID, options?: CallOptions): Promise<number> {
    const operation = "init_quote_ex";
    const fields = { attKeyId: keyId, bPubKeyId: false, timeout: this.#hint(options) };
    const reply = await this.#call(operation, fields, options);
    return Number(this.#present(operation, "pub_key_id_size", reply.pubKeyIdSize));
  }

  /** Makes or reloads the attestation key. `pubKeyIdSize` saves the size query: it is 32 for ECDSA. */
  async initQuote(
    keyId: Uint8Array = DEFAULT_KEY_ID,
    options: CallOptions & { readonly pubKeyIdSize?: number } = {},
  ): Promise<InitializedQuote> {
    const operation = "init_quote_ex";
    const size = options.pubKeyIdSize ?? (await this.pubKeyIdSize(keyId, options));
    const fields = { attKeyId: keyId, bPubKeyId: true, bufSize: BigInt(size), timeout: this.#hint(options) };
    const reply = await this.#call(operation, fields, options);
    return {
      targetInfo: this.#sized(operation, "target_info", reply.targetInfo, 512),
      pubKeyId: this.#sized(operation, "pub_key_id", reply.pubKeyId, size),
    };
  }

  /** Bytes of the quote that {@link getQuote} will return. 42 before {@link initQuote}. */
  async quoteSize(keyId: Uint8Array = DEFAULT_KEY_ID, options?: CallOptions): Promise<number> {
    const operation = "get_quote_size_ex";
    const reply = await this.#call(operation, { attKeyId: keyId, timeout: this.#hint(options) }, options);
    return this.#present(operation, "quote_size", reply.quoteSize);
  }

  /** A quote for a 432-byte report into a buffer of `bufSize` bytes, which must be at least {@link quoteSize}. */
  async getQuote(
    report: Uint8Array,
    bufSize: number,
    options: CallOptions & { readonly keyId?: Uint8Array; readonly qeReportInfo?: Uint8Array } = {},
  ): Promise<ReceivedQuote> {
    const operation = "get_quote_ex";
    const { qeReportInfo } = options;
    const attKeyId = options.keyId ?? DEFAULT_KEY_ID;
    const fields = { report, attKeyId, qeReportInfo, bufSize, timeout: this.#hint(options) };
    const reply = await this.#call(operation, fields, options);
    const quote = this.#sized(operation, "quote", reply.quote, bufSize);
    if (qeReportInfo === undefined) return { quote };
    return { quote, qeReportInfo: this.#sized(operation, "qe_report_info", reply.qeReportInfo, qeReportInfo.length) };
  }

  /**
   * The whole flow: init, the caller's report for the QE's target info, size, quote. While the service answers that its
   * key is not initialised (42: it was restarted or its TCB moved in between) everything is done again, 5 times at most.
   */
  async quote(
    makeReport: (targetInfo: Uint8Array) => MaybePromise<Uint8Array>,
    options: QuoteOptions = {},
  ): Promise<ReceivedQuote & InitializedQuote> {
    const keyId = options.keyId ?? DEFAULT_KEY_ID;
    const attempts = options.attempts ?? 5;
    for (let attempt = 1; ; attempt++) {
      const initialized = await this.initQuote(keyId, options);
      const report = await makeReport(initialized.targetInfo);
      try {
        const size = await this.quoteSize(keyId, options);
        return { ...initialized, ...(await this.getQuote(report, size, { ...options, keyId })) };
      } catch (error) {
        const again = error instanceof AesmError && error.aesm === Aesm.ATT_KEY_NOT_INITIALIZED && attempt < attempts;
        if (!again) throw error;
      }
    }
  }

  async #call<O extends AesmOperationName>(
    operation: O,
    fields: Fields<O>,
    options: CallOptions | undefined,
  ): Promise<ResponseFields<O>> {
    return this.#retrying(operation, fields, options ?? {}, (reply) => {
      const { errorCode } = reply as unknown as { readonly errorCode: number };
      if (errorCode === 0) return reply;
      const status = aesmToSgxStatus(operation, errorCode);
      throw new AesmError(
        "SERVICE_REFUSED",
        `${operation}: the service answered ${errorCode} ${aesmErrorName(errorCode)} (sgx_status_t ${sgxStatusName(status)})`,
        { operation, aesm: errorCode, status },
      );
    });
  }

  #encode(request: AesmRequest): Uint8Array {
    try {
      return encodeRequest(request);
    } catch (error) {
      if (!(error instanceof AesmError)) throw error;
      const details = { operation: request.operation, status: SgxStatus.ERROR_INVALID_PARAMETER, cause: error };
      throw new AesmError(error.code, error.message, details);
    }
  }

  #hint(options: CallOptions | undefined): number {
    return Math.min(options?.timeoutMs ?? this.#timeoutMs, 0xffffffff);
  }

  #present<T>(operation: AesmOperationName, field: string, value: T | undefined): T {
    if (value !== undefined) return value;
    const details = { operation, status: SgxStatus.ERROR_UNEXPECTED };
    throw new AesmError("RESPONSE_MISMATCH", `${operation}: the reply has no ${field}`, details);
  }

  #sized(operation: AesmOperationName, field: string, value: Uint8Array | undefined, size: number): Uint8Array {
    const bytes = this.#present(operation, field, value);
    if (bytes.length === size) return bytes;
    throw new AesmError("RESPONSE_MISMATCH", `${operation}: ${field} is ${bytes.length} bytes, not ${size}`, {
      operation,
      status: SgxStatus.ERROR_UNEXPECTED,
    });
  }
}
