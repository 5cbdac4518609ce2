import { createHash, type KeyObject } from "node:crypto";
import type { GetQuoteResult } from "@confcom/aesm";
import {
  QE_REPORT_INFO_SIZE,
  QUOTE_HEADER_SIZE,
  QUOTE_V3_SIGNATURE_OFFSET,
  Quote3,
  REPORT_BODY_SIZE,
  REPORT_SIZE,
} from "@confcom/sgx";
import { p256KeyPair, signP256Into, verifyP256 } from "../../crypto/p256.ts";
import { PlatformError } from "../../errors.ts";
import { ereport, type ReportingCpu } from "../cpu/ereport.ts";
import type { ReportMacChecker } from "../cpu/report-key.ts";
import type { AttestationKeySnapshot } from "../snapshot.ts";
import { quotingFailure } from "./qe-errors.ts";
import { QE_IDENTITY } from "./qe-identity.ts";

/** What a quote's signature covers: header and body, not the length that follows (spec: DCAP §3). */
const SIGNED_SIZE = QUOTE_HEADER_SIZE + REPORT_BODY_SIZE;

/**
 * gen_quote (spec: DCAP §5) with one attestation key, one object per thread.
 *
 * Where the reference QE unseals its blob and verifies its own signature for every quote, this does both once per key
 * load: the blob when the platform reads it, a signature here. The copy of the key in memory is then as good as a blob
 * in memory, and a quote costs one signature and one CMAC.
 */
export class QuoteMaker {
  readonly #cpu: ReportingCpu;
  readonly #reports: ReportMacChecker;
  readonly #privateKey: KeyObject;
  readonly #template: Uint8Array;
  /** Where every quote is written when the caller promised to copy it at once. */
  readonly #reused: Uint8Array | undefined;

  /**
   * With `reuseBuffer` every quote is written over the one before: a server that copies it into its reply at once is
   * spared an allocation of the quote's size for each request.
   *
   * Fails with QE_CRYPTO_ERROR when a first signature does not verify under the public key that quotes will carry.
   */
  constructor(cpu: ReportingCpu, reports: ReportMacChecker, key: AttestationKeySnapshot, reuseBuffer: boolean) {
    const { privateKey, publicKey, publicPoint } = p256KeyPair(key.privateKey);
    const signature = new Uint8Array(64);
    const signed = key.template.subarray(0, SIGNED_SIZE);
    signP256Into(privateKey, signed, signature, 0);
    const carried = key.template.subarray(QUOTE_V3_SIGNATURE_OFFSET + 64, QUOTE_V3_SIGNATURE_OFFSET + 128);
    if (Buffer.compare(carried, publicPoint) !== 0 || !verifyP256(publicKey, signed, signature)) {
      throw new PlatformError("QE_CRYPTO_ERROR", "the attestation key does not verify its own signature");
    }
    this.#cpu = cpu;
    this.#reports = reports;
    this.#privateKey = privateKey;
    this.#template = key.template;
    this.#reused = reuseBuffer ? key.template.slice() : undefined;
  }

  /** Bytes of every quote this makes. */
  get quoteSize(): number {
    return this.#template.length;
  }

  /**
   * A quote over a report (432 bytes) that was made for this QE, and with `qeReportInfo` (960 bytes) the QE's report over
   * nonce and quote for the application's enclave. Fails with 3 on other sizes, 47 when the report is not for this QE.
   */
  getQuote(report: Uint8Array, qeReportInfo?: Uint8Array): GetQuoteResult {
    if (report.length !== REPORT_SIZE || (qeReportInfo !== undefined && qeReportInfo.length !== QE_REPORT_INFO_SIZE)) {
      throw quotingFailure(
        Quote3.INVALID_PARAMETER,
        `a report is ${REPORT_SIZE} bytes and a qe_report_info ${QE_REPORT_INFO_SIZE}; got ${report.length} and ${qeReportInfo?.length ?? "none"}`,
        "send the structures whole",
      );
    }
    if (!this.#reports.check(report)) throw notForThisQe();
    const quote = this.#reused ?? this.#template.slice();
    quote.set(report.subarray(0, REPORT_BODY_SIZE), QUOTE_HEADER_SIZE);
    signP256Into(this.#privateKey, quote.subarray(0, SIGNED_SIZE), quote, QUOTE_V3_SIGNATURE_OFFSET);
    return qeReportInfo === undefined ? { quote } : { quote, qeReport: this.#qeReport(quote, qeReportInfo) };
  }

  /** The QE's report with SHA-256(nonce || quote), for the enclave that the caller names (spec: DCAP §5). */
  #qeReport(quote: Uint8Array, info: Uint8Array): Uint8Array {
    const reportData = createHash("sha256").update(info.subarray(0, 16)).update(quote).digest();
    return ereport(this.#cpu, QE_IDENTITY, info.subarray(16, 528), reportData);
  }
}

function notForThisQe(): Error {
  return quotingFailure(
    Quote3.INVALID_REPORT,
    "the report's MAC does not verify for this quoting enclave on this CPU",
    "make the report for the target info that init_quote_ex returned, in an enclave of the same (simulated) CPU; a report of real SGX hardware cannot be quoted by the software platform",
  );
}
