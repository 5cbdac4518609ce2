import { bytesEqual, concatBytes, type Quote, REPORT_BODY_SIZE, REPORT_OFFSET, TEE_TYPE, toHex } from "@confcom/sgx";
import type { QeIdentity } from "../collateral/qe-identity.ts";
import type { TcbInfo } from "../collateral/tcb-info.ts";
import type { TdxModuleIdentity } from "../collateral/tdx-module.ts";
import { importP256, type Step, sha256, verifyP256 } from "../crypto.ts";
import { type QvlStatus, Rejection } from "../status.ts";
import { COMMON_NAME, type PckCertificate } from "../x509/chain.ts";
import { type Crl, isRevoked } from "../x509/crl.ts";
import { checkEnclaveReport } from "./enclave-report.ts";
import { publicKeyOf } from "./signatures.ts";
import { checkTcbLevel, type TcbLevelVerdict } from "./tcb-level.ts";
import { checkTdxModule } from "./tdx-module.ts";

export interface QuoteInput {
  readonly quote: Quote;
  readonly pck: PckCertificate;
  readonly pckCrl: Crl;
  readonly tcbInfo: TcbInfo;
  readonly qeIdentity: QeIdentity;
}

/** Told of each part as it is found to be in order; what is wrong is thrown instead. */
export type Found = (part: string, status: QvlStatus, detail: string | (() => string)) => void;

function checkPck({ pck, pckCrl }: QuoteInput): void {
  const { certificate } = pck;
  if (!certificate.subject.commonName.includes(COMMON_NAME.pck)) {
    throw new Rejection("STATUS_INVALID_PCK_CERT", `"${certificate.subject.commonName}" is no PCK certificate`);
  }
  if (!pckCrl.issuer.commonName.includes(COMMON_NAME.intermediate) || pckCrl.issuer.text !== certificate.issuer.text) {
    throw new Rejection("STATUS_INVALID_PCK_CRL", "the PCK CRL and the PCK certificate have different issuers");
  }
  if (isRevoked(pckCrl, certificate)) throw new Rejection("STATUS_PCK_REVOKED", "the PCK certificate is revoked");
}

function checkTcbInfoMatches({ quote, pck, tcbInfo }: QuoteInput): void {
  const wanted = quote.header.teeType === TEE_TYPE.TDX ? "TDX" : "SGX";
  if (tcbInfo.id !== wanted) {
    throw new Rejection("STATUS_TCB_INFO_MISMATCH", `a TCB info for ${tcbInfo.id} was given for a quote of ${wanted}`);
  }
  if (!bytesEqual(pck.sgx.fmspc, tcbInfo.fmspc)) {
    throw new Rejection(
      "STATUS_TCB_INFO_MISMATCH",
      `the TCB info is for FMSPC ${toHex(tcbInfo.fmspc)}, the PCK certificate for ${toHex(pck.sgx.fmspc)}`,
    );
  }
  if (!bytesEqual(pck.sgx.pceId, tcbInfo.pceId)) {
    throw new Rejection(
      "STATUS_TCB_INFO_MISMATCH",
      `the TCB info is for PCEID ${toHex(tcbInfo.pceId)}, the PCK certificate for ${toHex(pck.sgx.pceId)}`,
    );
  }
}

function* checkQeReport(input: QuoteInput, found: Found): Step<TdxModuleIdentity | undefined> {
  const { quote, pck, tcbInfo } = input;
  const key = yield* publicKeyOf(pck.certificate);
  if (key === undefined) throw new Rejection("STATUS_INVALID_PCK_CERT", "the PCK public key is no point of P-256");
  let identity: TdxModuleIdentity | undefined;
  if (quote.body.kind !== "sgx") {
    identity = checkTdxModule(quote.body.report, tcbInfo);
    found("TDX module", "STATUS_OK", identity === undefined ? "the TCB info's own module" : `matches ${identity.id}`);
  }
  const { qeReport, qeReportSignature, attestationKey, qeAuthData } = quote.signatureData;
  if (!(yield* verifyP256(key, qeReport, qeReportSignature))) {
    throw new Rejection("STATUS_INVALID_QE_REPORT_SIGNATURE", "the PCK key did not sign the quoting enclave's report");
  }
  const digest = yield* sha256(concatBytes(attestationKey, qeAuthData));
  const named = qeReport.subarray(REPORT_OFFSET.REPORTDATA, REPORT_OFFSET.REPORTDATA + 32);
  if (!bytesEqual(digest, named)) {
    throw new Rejection("STATUS_INVALID_QE_REPORT_DATA", "the quoting enclave's report names another attestation key");
  }
  found("QE report", "STATUS_OK", "signed by the PCK key, names the attestation key");
  return identity;
}

/** Status of the quoting enclave against its identity; only what ends a verification is thrown. */
function checkQe({ quote, qeIdentity }: QuoteInput): QvlStatus {
  const wanted = quote.header.teeType === TEE_TYPE.TDX ? "TD_QE" : "QE";
  if (qeIdentity.id !== wanted) {
    throw new Rejection(
      "STATUS_QE_IDENTITY_MISMATCH",
      `the identity of ${qeIdentity.id} was given, that of ${wanted} is needed`,
    );
  }
  const status = checkEnclaveReport(quote.signatureData.qeReport.subarray(0, REPORT_BODY_SIZE), qeIdentity);
  if (status.endsWith("_MISMATCH")) {
    const field = status.replace(/^STATUS_SGX_ENCLAVE_REPORT_|_MISMATCH$/g, "");
    throw new Rejection("STATUS_QE_IDENTITY_MISMATCH", `${field} of the quoting enclave is not what its identity says`);
  }
  return status;
}

function* checkQuoteSignature({ quote }: QuoteInput): Step<void> {
  const point = new Uint8Array(65);
  point[0] = 4;
  point.set(quote.signatureData.attestationKey, 1);
  const key = yield* importP256(point);
  if (key === undefined)
    throw new Rejection("STATUS_UNSUPPORTED_QUOTE_FORMAT", "the attestation key is no point of P-256");
  if (!(yield* verifyP256(key, quote.signedBytes, quote.signatureData.signature))) {
    throw new Rejection("STATUS_INVALID_QUOTE_SIGNATURE", "the attestation key did not sign header and body");
  }
}

/** Verifies the quote itself with collateral that has been verified (spec: DCAP §10 D). Throws {@link Rejection}. */
export function* verifyQuoteContent(input: QuoteInput, found: Found): Step<TcbLevelVerdict> {
  checkPck(input);
  checkTcbInfoMatches(input);
  found(
    "TCB info match",
    "STATUS_OK",
    () => `FMSPC ${toHex(input.tcbInfo.fmspc)} and PCEID agree with the PCK certificate`,
  );
  const moduleIdentity = yield* checkQeReport(input, found);
  const qeStatus = checkQe(input);
  found("QE", qeStatus, () => `MRSIGNER, product and attributes as its identity says; ISVSVN: ${qeStatus}`);
  yield* checkQuoteSignature(input);
  found("quote signature", "STATUS_OK", "the attestation key signed header and body");
  const { tcbInfo, pck, quote } = input;
  return checkTcbLevel({ tcbInfo, tcb: pck.sgx.tcb, body: quote.body, qeStatus, moduleIdentity });
}
