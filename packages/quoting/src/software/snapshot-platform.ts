import type { GetQuoteResult, InitQuoteResult, MaybePromise, QuotingPlatform } from "@confcom/aesm";
import {
  ATTESTATION_KEY_ID_BASE_SIZE,
  type AttestationKeyId,
  bytesEqual,
  ECDSA_P256_KEY_ID,
  encodeAttestationKeyId,
  Quote3,
  sameAttestationKey,
} from "@confcom/sgx";
import { targetInfoOf } from "./cpu/enclave-identity.ts";
import { ReportMacChecker } from "./cpu/report-key.ts";
import { asQuotingFailure, quotingFailure } from "./qe/qe-errors.ts";
import { QE_IDENTITY } from "./qe/qe-identity.ts";
import { QuoteMaker } from "./qe/quote-maker.ts";
import type { PlatformSnapshot } from "./snapshot.ts";

const KEY_IDS: readonly AttestationKeyId[] = [ECDSA_P256_KEY_ID];
const KEY_ID_BASE = encodeAttestationKeyId(ECDSA_P256_KEY_ID, ATTESTATION_KEY_ID_BASE_SIZE);
const ECDSA_ID_SIZE = 32;

export interface SnapshotPlatformOptions {
  /**
   * Has the platform's writer make a key. It must not resolve before every thread had {@link SnapshotPlatform.update}
   * called with the snapshot that holds it; rejections go to the caller of init_quote.
   */
  readonly requestInit: () => Promise<void>;
  /** For a server that copies each quote before it asks for the next: quotes are written over one another. Default: false. */
  readonly reuseQuoteBuffer?: boolean;
}

/** Answers from a snapshot, at once; what every thread of a quote helper serves from. */
export interface SnapshotPlatform extends QuotingPlatform {
  /** The snapshot it answers from. */
  readonly generation: number;
  /** Goes over to another snapshot, whole; an older generation than the present one is ignored. */
  update(snapshot: PlatformSnapshot): void;
}

class SnapshotAnswers implements SnapshotPlatform {
  readonly name = "software";
  readonly #requestInit: () => Promise<void>;
  readonly #reuseQuoteBuffer: boolean;
  #generation = -1;
  #maker: QuoteMaker | undefined;
  #init: InitQuoteResult | undefined;
  /** Whether every thread can quote with the present key, so that this one may announce it. */
  #announced = false;

  constructor(snapshot: PlatformSnapshot, options: SnapshotPlatformOptions) {
    this.#requestInit = options.requestInit;
    this.#reuseQuoteBuffer = options.reuseQuoteBuffer === true;
    this.update(snapshot);
    this.#announced = true;
  }

  get generation(): number {
    return this.#generation;
  }

  update(snapshot: PlatformSnapshot): void {
    if (snapshot.generation < this.#generation) return;
    const targetInfo = targetInfoOf(QE_IDENTITY);
    const { cpu, key } = snapshot;
    // Made before anything is replaced: a snapshot that fails its check leaves the present one in service.
    const maker =
      key && new QuoteMaker(cpu, new ReportMacChecker(cpu.secrets, targetInfo), key, this.#reuseQuoteBuffer);
    this.#maker = maker;
    this.#announced &&= key !== undefined && this.#init !== undefined && bytesEqual(key.pubKeyId, this.#init.pubKeyId);
    this.#init = key && { targetInfo, pubKeyId: key.pubKeyId };
    this.#generation = snapshot.generation;
  }

  supportedKeyIds(): readonly AttestationKeyId[] {
    return KEY_IDS;
  }

  pubKeyIdSize(keyId: AttestationKeyId): number {
    assertSupported(keyId);
    return ECDSA_ID_SIZE;
  }

  initQuote(keyId: AttestationKeyId): MaybePromise<InitQuoteResult> {
    assertSupported(keyId);
    return this.#announced && this.#init !== undefined ? this.#init : this.#initLater();
  }

  quoteSize(keyId: AttestationKeyId): number {
    assertSupported(keyId);
    return this.#ready().quoteSize;
  }

  getQuote(keyId: AttestationKeyId, report: Uint8Array, qeReportInfo?: Uint8Array): GetQuoteResult {
    assertSupported(keyId);
    return this.#ready().getQuote(report, qeReportInfo);
  }

  async close(): Promise<void> {}

  async #initLater(): Promise<InitQuoteResult> {
    try {
      await this.#requestInit();
    } catch (error) {
      throw asQuotingFailure(error);
    }
    if (this.#init !== undefined) {
      this.#announced = true;
      return this.#init;
    }
    throw quotingFailure(
      Quote3.UNEXPECTED,
      "the attestation key was made, but its snapshot did not arrive here before the answer",
      "this is a defect of the quote helper: report it",
    );
  }

  #ready(): QuoteMaker {
    if (this.#maker !== undefined) return this.#maker;
    throw quotingFailure(
      Quote3.ATT_KEY_NOT_INITIALIZED,
      "there is no attestation key for the present TCB yet",
      "call init_quote_ex (get_target_info), make the report for the target info it returns, and ask again",
    );
  }
}

/** The server passes on the very object it found in supportedKeyIds(), so the comparison by bytes is the rare case. */
function assertSupported(keyId: AttestationKeyId): void {
  if (keyId === ECDSA_P256_KEY_ID) return;
  if (sameAttestationKey(encodeAttestationKeyId(keyId, ATTESTATION_KEY_ID_BASE_SIZE), KEY_ID_BASE)) return;
  throw quotingFailure(
    Quote3.UNSUPPORTED_ATT_KEY_ID,
    "no quoting enclave here has that attestation key id",
    "use the ECDSA-P256 key id that get_supported_att_key_ids returns",
  );
}

/** A platform for a thread that does not own the state. Fails when the snapshot's key does not pass its self-check. */
export function createSnapshotPlatform(snapshot: PlatformSnapshot, options: SnapshotPlatformOptions): SnapshotPlatform {
  return new SnapshotAnswers(snapshot, options);
}
