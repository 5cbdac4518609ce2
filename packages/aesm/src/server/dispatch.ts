import {
  Aesm,
  type AesmOperationName,
  ATTESTATION_KEY_ID_SIZE,
  type AttestationKeyId,
  QE_REPORT_INFO_SIZE,
  REPORT_SIZE,
} from "@confcom/sgx";
import { REQUEST_TABLE } from "../messages/message-codec.ts";
import { MessageDecoder } from "../messages/message-decoder.ts";
import { operationName } from "../messages/operations.ts";
import {
  writeBytesReply,
  writeInitQuoteReply,
  writeNumberReply,
  writeQuoteRefusal,
  writeRefusal,
} from "../messages/reply-writer.ts";
import type { QuotingPlatform } from "../platform.ts";
import { ByteArena } from "./byte-arena.ts";
import type { ServerCounters } from "./counters.ts";
import type { EventReporter } from "./events.ts";
import { OfferedKeyIds } from "./key-ids.ts";
import type { LimitsInForce } from "./limits.ts";
import { InitQuoteCall, type PlatformCall, QuoteCall, QuoteSizeCall } from "./platform-call.ts";
import {
  badParameter,
  LOOK_AT_PLATFORM,
  MISSING_FIELD,
  NO_QUOTING_ENCLAVE,
  type Refusal,
  refusalOf,
  UNAVAILABLE_HERE,
} from "./refusal.ts";

/** The request needs the quoting enclave: take {@link Dispatcher.call} and run it. */
export const NEEDS_PLATFORM = -1;
/** The request gets no reply: close the connection. */
export const SILENCE = 0;

const BAD_KEY_ID = badParameter(`att_key_id is absent or shorter than ${ATTESTATION_KEY_ID_SIZE} bytes`);

export interface DispatcherOptions {
  readonly platform: QuotingPlatform;
  readonly limits: LimitsInForce;
  readonly defaultAlgorithm: number;
  readonly events: EventReporter;
  readonly counters: ServerCounters;
}

/**
 * From a request body to a reply: every answer that Intel's service gives, field by field (spec: AESM §3.1, §6). It
 * knows no sockets and no crypto; one instance serves one event loop and reuses its decoder.
 */
export class Dispatcher {
  /** The call to run after {@link NEEDS_PLATFORM}. */
  call: PlatformCall | undefined;

  readonly #decoder = new MessageDecoder(REQUEST_TABLE);
  readonly #arena = new ByteArena();
  readonly #keyIds: OfferedKeyIds;
  readonly #platform: QuotingPlatform;
  readonly #limits: LimitsInForce;
  readonly #events: EventReporter;
  readonly #counters: ServerCounters;

  constructor(options: DispatcherOptions) {
    this.#platform = options.platform;
    this.#keyIds = new OfferedKeyIds(options.platform, options.defaultAlgorithm);
    this.#limits = options.limits;
    this.#events = options.events;
    this.#counters = options.counters;
  }

  /**
   * Answers the body at `bytes[start, end)` into `out`. Returns the frame's length, {@link SILENCE} or
   * {@link NEEDS_PLATFORM}. `bytes` may be reused at once; `out` must have `replyCapacity`.
   */
  dispatch(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
    const decoder = this.#decoder;
    const operation = decoder.decode(bytes, start, end);
    if (operation === 0) {
      this.#counters.dropped("malformed");
      this.#events.dropped("malformed");
      return SILENCE;
    }
    try {
      return this.#answer(operation, bytes, out);
    } catch (error) {
      return this.#refuse(out, operation, refusalOf(error));
    }
  }

  /** The reply to a call that was run. */
  succeed(call: PlatformCall, out: Uint8Array): number {
    this.#counters.answered(call.operation, 0);
    return call.writeReply(out);
  }

  /** The reply to a call that was refused, by the platform or before it could run. */
  fail(call: PlatformCall, refusal: Refusal, out: Uint8Array): number {
    this.#record(call.operation, refusal);
    return call.writeRefusal(out, refusal.code);
  }

  #answer(operation: number, bytes: Uint8Array, out: Uint8Array): number {
    if (!this.#decoder.complete) {
      // Intel's service looks at no field of an incomplete request, so nothing is echoed either.
      this.#record(operation, MISSING_FIELD);
      return writeRefusal(out, operation, MISSING_FIELD.code);
    }
    switch (operation) {
      case 21:
        return this.#keyIdCount(out);
      case 17:
        return this.#getQuote(bytes, out);
      case 16:
        return this.#quoteSize(bytes, out);
      case 15:
        return this.#initQuote(bytes, out);
      case 19:
        return this.#selectKeyId(bytes, out);
      case 22:
        return this.#listKeyIds(out);
      case 14:
        return this.#refuse(
          out,
          14,
          this.#decoder.low[2] === 0 ? UNAVAILABLE_HERE : badParameter("data_type is not 0, the only one there is"),
        );
      default:
        return this.#refuse(out, operation, UNAVAILABLE_HERE);
    }
  }

  #keyIdCount(out: Uint8Array): number {
    const count = this.#keyIds.count;
    if (count === 0) {
      const refusal = { code: Aesm.SERVICE_UNAVAILABLE, cause: NO_QUOTING_ENCLAVE, nextStep: LOOK_AT_PLATFORM };
      return this.#refuse(out, 21, refusal);
    }
    this.#counters.answered(21, 0);
    return writeNumberReply(out, 21, count);
  }

  #listKeyIds(out: Uint8Array): number {
    const list = this.#keyIds.list();
    const bufSize = this.#decoder.low[1] as number;
    if (list.length === 0) {
      return this.#refuse(out, 22, { ...badParameter(NO_QUOTING_ENCLAVE), nextStep: LOOK_AT_PLATFORM });
    }
    if (bufSize !== list.length) {
      return this.#refuse(out, 22, badParameter(`buf_size is ${bufSize}, not exactly ${list.length}`));
    }
    this.#counters.answered(22, 0);
    return writeBytesReply(out, 22, list);
  }

  #selectKeyId(bytes: Uint8Array, out: Uint8Array): number {
    const selection = this.#keyIds.select(this.#bytesField(bytes, 1));
    if (selection.selected === undefined) {
      const refusal = selection.wrong === "list" ? badParameter(selection.cause) : this.#unsupported(selection.cause);
      return this.#refuse(out, 19, refusal);
    }
    this.#counters.answered(19, 0);
    return writeBytesReply(out, 19, selection.selected);
  }

  #initQuote(bytes: Uint8Array, out: Uint8Array): number {
    const decoder = this.#decoder;
    const keyId = this.#findKey(bytes, 1);
    if (keyId === undefined) return this.#refuse(out, 15, this.#keyRefusal(1));
    const idSize = this.#platform.pubKeyIdSize(keyId);
    if (decoder.low[3] === 0 && decoder.high[3] === 0) {
      // The size query. buf_size is uninitialised memory of the caller's here: not looked at.
      this.#counters.answered(15, 0);
      return writeInitQuoteReply(out, undefined, idSize, undefined);
    }
    if (!decoder.has(4) || decoder.low[4] !== idSize || decoder.high[4] !== 0) {
      return this.#refuse(out, 15, badParameter(`buf_size is not ${idSize}, the size of the public key id`));
    }
    this.call = new InitQuoteCall(keyId, idSize);
    return NEEDS_PLATFORM;
  }

  #quoteSize(bytes: Uint8Array, out: Uint8Array): number {
    const keyId = this.#findKey(bytes, 1);
    if (keyId === undefined) return this.#refuse(out, 16, this.#keyRefusal(1));
    this.call = new QuoteSizeCall(keyId);
    return NEEDS_PLATFORM;
  }

  #getQuote(bytes: Uint8Array, out: Uint8Array): number {
    const decoder = this.#decoder;
    const qeReportInfo = this.#bytesField(bytes, 3);
    const bufSize = decoder.low[4] as number;
    let refusal: Refusal | undefined;
    const keyId = this.#findKey(bytes, 2);
    if (bufSize > this.#limits.current.maxQuoteBuffer) {
      refusal = badParameter(`buf_size ${bufSize} is over the limit of ${this.#limits.current.maxQuoteBuffer}`);
    } else if (keyId === undefined) refusal = this.#keyRefusal(2);
    else if (decoder.length[1] !== REPORT_SIZE) {
      refusal = badParameter(`the report is ${decoder.length[1]} bytes, not ${REPORT_SIZE}`);
    } else if (qeReportInfo !== undefined && qeReportInfo.length !== QE_REPORT_INFO_SIZE) {
      refusal = badParameter(`qe_report_info is ${qeReportInfo.length} bytes, not ${QE_REPORT_INFO_SIZE}`);
    }
    if (refusal !== undefined) {
      this.#record(17, refusal);
      return writeQuoteRefusal(out, refusal.code, qeReportInfo);
    }
    this.call = new QuoteCall(
      keyId as AttestationKeyId,
      this.#bytesField(bytes, 1) as Uint8Array,
      qeReportInfo,
      bufSize,
    );
    return NEEDS_PLATFORM;
  }

  /** The offered key that a key id field names: it must hold at least 256 bytes, of which 158 are compared. */
  #findKey(bytes: Uint8Array, field: number): AttestationKeyId | undefined {
    const decoder = this.#decoder;
    if (!decoder.has(field) || (decoder.length[field] as number) < ATTESTATION_KEY_ID_SIZE) return undefined;
    return this.#keyIds.find(bytes, decoder.start[field] as number);
  }

  #keyRefusal(field: number): Refusal {
    const decoder = this.#decoder;
    if (!decoder.has(field) || (decoder.length[field] as number) < ATTESTATION_KEY_ID_SIZE) return BAD_KEY_ID;
    return this.#unsupported("the attestation key id is not offered here");
  }

  #unsupported(cause: string): Refusal {
    const code = Aesm.UNSUPPORTED_ATT_KEY_ID;
    if (this.#keyIds.count === 0) return { code, cause: NO_QUOTING_ENCLAVE, nextStep: LOOK_AT_PLATFORM };
    return { code, cause, nextStep: "Ask for the offered ids (get_supported_att_key_ids, select_att_key_id)." };
  }

  /** A copy of a bytes field, because `bytes` is reused; undefined when absent. */
  #bytesField(bytes: Uint8Array, field: number): Uint8Array | undefined {
    const decoder = this.#decoder;
    if (!decoder.has(field)) return undefined;
    const start = decoder.start[field] as number;
    return this.#arena.copy(bytes, start, decoder.length[field] as number);
  }

  #refuse(out: Uint8Array, operation: number, refusal: Refusal): number {
    this.#record(operation, refusal);
    const decoder = this.#decoder;
    if (operation === 15 && decoder.has(4)) {
      return writeRefusal(out, 15, refusal.code, decoder.low[4] as number, decoder.high[4] as number);
    }
    return writeRefusal(out, operation, refusal.code);
  }

  #record(operation: number, refusal: Refusal): void {
    this.#counters.answered(operation, refusal.code);
    const name = operationName(operation) as AesmOperationName;
    this.#events.refused(name, refusal.code, refusal.cause, refusal.nextStep, refusal.error);
  }
}
