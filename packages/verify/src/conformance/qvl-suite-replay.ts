import { fromHex, REPORT_BODY_SIZE } from "@confcom/sgx";
import { readCrlText } from "../collateral/crl-text.ts";
import { parseQeIdentity } from "../collateral/qe-identity.ts";
import { parseTcbInfo } from "../collateral/tcb-info.ts";
import { runStep, type Step } from "../crypto.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { type QvlStatus, Rejection } from "../status.ts";
import { checkEnclaveReport } from "../steps/enclave-report.ts";
import { verifyPckCertificate } from "../steps/pck-certificate.ts";
import { verifyQuoteContent } from "../steps/quote.ts";
import { readQuote } from "../steps/quote-format.ts";
import { verifyQeIdentity, verifyTcbInfo } from "../steps/tcb-signing.ts";
import { type Certificate, MissingExtension, parseCertificate } from "../x509/certificate.ts";
import { parseChain, parsePckCertificate } from "../x509/chain.ts";
import { decodePemCertificates } from "../x509/pem.ts";

/** One recorded call: the name of the function, its inputs, and what the reference verifier answered. */
export interface RecordedCall {
  readonly test: string;
  readonly fn: string;
  readonly result: string;
  readonly [input: string]: unknown;
}

type Status = QvlStatus | "OK";

function bytes(text: unknown): Uint8Array {
  return new TextEncoder().encode(String(text));
}

function leaf(pem: unknown, missing: QvlStatus, malformed: QvlStatus): Certificate {
  const der = decodePemCertificates(bytes(pem))?.[0];
  if (der === undefined) throw new Rejection(malformed, "no PEM certificate");
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof MissingExtension) throw new Rejection(missing, error.message);
    if (error instanceof Rejection) throw new Rejection(malformed, error.message);
    throw error;
  }
}

/** Turns one place's errors into the status the recorded function has for it. */
function as<T>(status: QvlStatus, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof Rejection) throw new Rejection(status, error.message);
    throw error;
  }
}

function run(step: Step<unknown>): void {
  runStep(step, nodeCrypto);
}

function dateOf(call: RecordedCall): number {
  return Number(call.date ?? call.now);
}

const CERT_FORMAT = "STATUS_UNSUPPORTED_CERT_FORMAT" satisfies QvlStatus;
const FORMAT = "STATUS_UNSUPPORTED_PCK_CERT_FORMAT" satisfies QvlStatus;
const EXTENSION = "STATUS_INVALID_PCK_CERT" satisfies QvlStatus;

function chainOf(pem: unknown, count: number) {
  const chain = parseChain(bytes(pem));
  if (chain.certificates.length !== count) throw new Rejection(CERT_FORMAT, "another number of certificates");
  return chain;
}

const replays: Readonly<Record<string, (call: RecordedCall) => Status>> = {
  "Quote::parse"(call) {
    readQuote(fromHex(String(call.quote)));
    return "OK";
  },
  "TcbInfo::parse"(call) {
    parseTcbInfo(bytes(call.json));
    return "OK";
  },
  "EnclaveIdentity::parse"(call) {
    parseQeIdentity(bytes(call.json));
    return "OK";
  },
  "Certificate::parse"(call) {
    leaf(call.pem, EXTENSION, FORMAT);
    return "OK";
  },
  "PckCertificate::parse"(call) {
    parsePckCertificate(leaf(call.pem, EXTENSION, FORMAT), EXTENSION, FORMAT);
    return "OK";
  },
  "PlatformPckCertificate::parse"(call) {
    const { sgx } = parsePckCertificate(leaf(call.pem, EXTENSION, FORMAT), EXTENSION, FORMAT);
    if (sgx.platform === undefined) throw new Rejection(EXTENSION, sgx.platformProblem ?? "not a platform certificate");
    return "OK";
  },
  VerifyPCKCertificate(call) {
    const crls = call.crls as readonly (string | null)[] | null;
    if (call.chain === null || call.root === null || !crls?.[0] || !crls[1]) return CERT_FORMAT;
    const chain = chainOf(call.chain, 3);
    const [rootCaCrl, pckCrl] = [readCrlText(bytes(crls[0])), readCrlText(bytes(crls[1]))];
    const trustedRoot = as("STATUS_TRUSTED_ROOT_CA_UNSUPPORTED_FORMAT", () => leaf(call.root, EXTENSION, FORMAT));
    run(verifyPckCertificate({ chain, rootCaCrl, pckCrl, trustedRoot, date: dateOf(call) }));
    return "STATUS_OK";
  },
  VerifyTCBInfo(call) {
    if (call.tcbInfo === null || call.chain === null || call.rootCrl === null || call.root === null) return CERT_FORMAT;
    const document = parseTcbInfo(bytes(call.tcbInfo));
    const chain = chainOf(call.chain, 2);
    const rootCaCrl = readCrlText(bytes(call.rootCrl));
    const trustedRoot = as(CERT_FORMAT, () => leaf(call.root, EXTENSION, FORMAT));
    run(verifyTcbInfo({ document, chain, rootCaCrl, trustedRoot, date: dateOf(call) }));
    return "STATUS_OK";
  },
  VerifyEnclaveIdentity(call) {
    if (call.identity === null || call.chain === null || call.rootCrl === null || call.root === null)
      return CERT_FORMAT;
    const document = parseQeIdentity(bytes(call.identity));
    const chain = chainOf(call.chain, 2);
    const rootCaCrl = readCrlText(bytes(call.rootCrl));
    const trustedRoot = as(CERT_FORMAT, () => leaf(call.root, EXTENSION, FORMAT));
    run(verifyQeIdentity({ document, chain, rootCaCrl, trustedRoot, date: dateOf(call) }));
    return "STATUS_OK";
  },
  VerifyEnclaveReport(call) {
    if (call.report === null || call.identity === null) return "STATUS_SGX_ENCLAVE_REPORT_UNSUPPORTED_FORMAT";
    return checkEnclaveReport(fromHex(String(call.report), REPORT_BODY_SIZE), parseQeIdentity(bytes(call.identity)));
  },
  VerifyQuote(call) {
    const { quote, pck, pckCrl, tcbInfo, qeIdentity } = call;
    if (quote === null || pck === null || pckCrl === null || tcbInfo === null) return "STATUS_MISSING_PARAMETERS";
    const decoded = readQuote(fromHex(String(quote)));
    const crl = as("STATUS_UNSUPPORTED_PCK_RL_FORMAT", () => readCrlText(bytes(pckCrl)));
    const info = as("STATUS_UNSUPPORTED_TCB_INFO_FORMAT", () => parseTcbInfo(bytes(tcbInfo)));
    const identity = as("STATUS_UNSUPPORTED_QE_IDENTITY_FORMAT", () => parseQeIdentity(bytes(qeIdentity)));
    const certificate = parsePckCertificate(leaf(pck, EXTENSION, FORMAT), EXTENSION, FORMAT);
    const input = { quote: decoded, pck: certificate, pckCrl: crl, tcbInfo: info, qeIdentity: identity };
    return runStep(
      verifyQuoteContent(input, () => {}),
      nodeCrypto,
    ).status;
  },
};

/** What the recorded answer is called here. */
export function expectedStatus(call: RecordedCall): string {
  switch (call.result) {
    case "FormatException":
      return call.fn === "TcbInfo::parse" ? "STATUS_SGX_TCB_INFO_UNSUPPORTED_FORMAT" : FORMAT;
    case "InvalidExtensionException":
      return call.fn === "TcbInfo::parse" ? "STATUS_SGX_TCB_INFO_INVALID" : EXTENSION;
    default:
      if (call.fn !== "Quote::parse") return call.result;
      return call.result === "true" && call.valid === true ? "OK" : "STATUS_UNSUPPORTED_QUOTE_FORMAT";
  }
}

/** Replays a call. Undefined if its function has no counterpart here. */
export function replay(call: RecordedCall): Status | undefined {
  const counterpart = replays[call.fn];
  if (counterpart === undefined) return undefined;
  try {
    return counterpart(call);
  } catch (error) {
    if (error instanceof Rejection) return error.status;
    throw error;
  }
}
