import { bytesEqual, type Collateral, type Quote, Quote3, type Quote3ErrorCode, toHex } from "@confcom/sgx";
import { BUDGETS } from "./budgets.ts";
import {
  COLLATERAL_VERSIONS,
  type CollateralTexts,
  type QveCollateral,
  type ReadCollateral,
} from "./collateral/collateral.ts";
import type { TcbInfo } from "./collateral/tcb-info.ts";
import type { Step } from "./crypto.ts";
import { accepted, type Memory } from "./memory.ts";
import type { PlatformKind, VerificationResult } from "./result.ts";
import { Ended, Run, type Words } from "./run.ts";
import { isSoftwarePlatform } from "./software-marker.ts";
import { type QvlStatus, Rejection, statusToQuote3, statusToResult } from "./status.ts";
import { type CollateralDates, collateralDates, type DatedCollateral } from "./steps/collateral-dates.ts";
import { isoDate, verifyPckCertificate } from "./steps/pck-certificate.ts";
import { verifyQuoteContent } from "./steps/quote.ts";
import { MINIMUM_QUOTE_SIZE, readQuote } from "./steps/quote-format.ts";
import type { TcbLevelVerdict } from "./steps/tcb-level.ts";
import { verifyQeIdentity, verifyTcbInfo } from "./steps/tcb-signing.ts";
import { fillSupplemental } from "./supplemental.ts";
import { checkTrustedRoots, INTEL_SGX_ROOT_KEY } from "./trusted-root.ts";
import { chainWarnings, documentWarnings, pckWarnings, quoteWarnings } from "./warnings.ts";
import type { Certificate } from "./x509/certificate.ts";
import type { CertificateChain } from "./x509/chain.ts";

export interface VerificationTerms {
  /** The time at which everything must be valid; seconds count. */
  readonly now: Date;
  /** Root keys of which the quote's chain must end in one: 65 bytes each, 04 and x and y. */
  readonly trustedRoots: readonly Uint8Array[];
}

const PCK_CHAIN_TYPE = 5;

function end(status: QvlStatus, ret: Quote3ErrorCode, detail: string): never {
  throw new Ended(status, ret, detail);
}

/** The parsed input; whatever is wrong with it becomes the one code its place has for that. */
function* parsed<T>(step: Step<T | Rejection>, ret: Quote3ErrorCode): Step<T> {
  const value = yield* step;
  if (value instanceof Rejection) return end(value.status, ret, value.message);
  return value as T;
}

function checkParameters(run: Run, quote: Uint8Array, { texts, problem }: ReadCollateral, date: number): void {
  const bad = (detail: string) => end("STATUS_MISSING_PARAMETERS", Quote3.INVALID_PARAMETER, detail);
  if (quote.length < MINIMUM_QUOTE_SIZE) bad(`a quote has at least ${MINIMUM_QUOTE_SIZE} bytes, got ${quote.length}`);
  if (quote.length > BUDGETS.quoteBytes) bad(`a quote of ${quote.length} bytes is over the limit`);
  if (problem !== undefined) bad(problem);
  if (!(date > 0)) bad("the time of verification is not after 1970");
  if (!COLLATERAL_VERSIONS.includes(texts.version)) {
    end(
      "STATUS_MISSING_PARAMETERS",
      Quote3.COLLATERAL_VERSION_NOT_SUPPORTED,
      `collateral version 0x${texts.version.toString(16)} is unknown`,
    );
  }
  run.passed(() => `${quote.length} bytes of quote, collateral version ${texts.version}, at ${isoDate(date)}`);
}

function readCertifiedQuote(run: Run, bytes: Uint8Array): Quote {
  run.enter("quote format");
  const quote = readQuote(bytes);
  run.add({ quote });
  const { certificationData, certificationDataType } = quote.signatureData;
  if (certificationData.length === 0)
    end("STATUS_UNSUPPORTED_QUOTE_FORMAT", Quote3.UNEXPECTED, "the certification data is empty");
  if (certificationDataType !== PCK_CHAIN_TYPE) {
    throw new Rejection(
      "STATUS_UNSUPPORTED_QE_CERTIFICATION_DATA_TYPE",
      `certification data of type ${certificationDataType} is not a PCK certificate chain (5)`,
    );
  }
  run.passed(() => `version ${quote.header.version}, body ${quote.body.kind}, ${quote.size} bytes`);
  run.warnings.push(...quoteWarnings(quote));
  return quote;
}

function* readPckChain(run: Run, quote: Quote, memory: Memory, roots: readonly Uint8Array[]): Step<CertificateChain> {
  run.enter("PCK certificate chain format");
  const pem = quote.signatureData.certificationData;
  const chain = yield* parsed(memory.parsed("chain", "quote", pem), Quote3.PCK_CERT_CHAIN_ERROR);
  const count = chain.certificates.length;
  const bad = (detail: string) => end("STATUS_UNSUPPORTED_CERT_FORMAT", Quote3.PCK_CERT_CHAIN_ERROR, detail);
  if (count !== 3) return bad(`the chain has ${count} certificates instead of 3`);
  const { root, pck } = chain;
  if (root === undefined) return bad("no certificate of the chain is self-issued");
  const software = pck !== undefined && isSoftwarePlatform(pck.certificate);
  if (pck !== undefined) run.add({ pck: pck.sgx });
  // Said at once: the marker only ever takes trust away.
  if (software) run.add({ platform: "software" });
  run.passed(() => `${count} certificates${pck === undefined ? "" : `, FMSPC ${toHex(pck.sgx.fmspc)}`}`);
  run.enter("trusted root");
  if (!roots.some((trusted) => bytesEqual(trusted, root.publicKey))) {
    return end(
      "STATUS_SGX_ROOT_CA_UNTRUSTED",
      Quote3.PCK_CERT_CHAIN_ERROR,
      `the chain ends in "${root.subject.text}", whose key is not among the trusted roots`,
    );
  }
  const platform = software ? "software" : platformOf(root);
  run.add({ rootKey: root.publicKey, platform });
  run.passed(
    () =>
      `"${root.subject.text}"${platform === "software" ? "; the PCK certificate is marked as a software platform's" : ""}`,
  );
  return chain;
}

function platformOf(root: Certificate): PlatformKind {
  return bytesEqual(root.publicKey, INTEL_SGX_ROOT_KEY) ? "hardware" : "other";
}

/** Everything that must be readable before any of it is verified, in the order in which its errors count. */
function* readCollateral(
  run: Run,
  texts: CollateralTexts,
  tcbInfo: TcbInfo,
  pckChain: CertificateChain,
  memory: Memory,
): Step<DatedCollateral> {
  run.enter("collateral format");
  const chain = (place: string, text: string) =>
    parsed(memory.parsed("chain", place, text), Quote3.PCK_CERT_CHAIN_ERROR);
  const crl = (place: string, text: string | Uint8Array) =>
    parsed(memory.parsed("crl", place, text), Quote3.CRL_UNSUPPORTED_FORMAT);
  const qeIdentityIssuerChain = yield* chain("qeIdentityIssuerChain", texts.qeIdentityIssuerChain);
  const tcbInfoIssuerChain =
    texts.tcbInfoIssuerChain === texts.qeIdentityIssuerChain
      ? qeIdentityIssuerChain
      : yield* chain("tcbInfoIssuerChain", texts.tcbInfoIssuerChain);
  const qeIdentity = yield* parsed(
    memory.parsed("qeIdentity", "qeIdentity", texts.qeIdentity),
    Quote3.QEIDENTITY_UNSUPPORTED_FORMAT,
  );
  const rootCaCrl = yield* crl("rootCaCrl", texts.rootCaCrl);
  const pckCrl = yield* crl("pckCrl", texts.pckCrl);
  const pckCrlIssuerChain = yield* chain("pckCrlIssuerChain", texts.pckCrlIssuerChain);
  return {
    pckChain,
    tcbInfo,
    qeIdentity,
    rootCaCrl,
    pckCrl,
    pckCrlIssuerChain,
    tcbInfoIssuerChain,
    qeIdentityIssuerChain,
  };
}

function checkDates(run: Run, collateral: DatedCollateral, date: number): CollateralDates {
  const dates = collateralDates(collateral);
  if (Object.values(dates).includes(0)) {
    end("STATUS_MISSING_PARAMETERS", Quote3.UNEXPECTED, "a date of the collateral is exactly 1970-01-01T00:00:00Z");
  }
  const { tcbInfo, qeIdentity, pckCrl } = collateral;
  const oldest = Math.min(tcbInfo.issueDate, qeIdentity.issueDate, pckCrl.thisUpdate);
  run.add({ collateralIssued: new Date(oldest * 1000) });
  run.collateralExpired = dates.earliestExpirationDate <= date;
  const expired = run.collateralExpired ? ": expired" : "";
  run.passed(
    () =>
      `issued ${isoDate(dates.earliestIssueDate)} or later, the first part expires ${isoDate(dates.earliestExpirationDate)}` +
      expired,
  );
  run.warnings.push(...documentWarnings(tcbInfo, qeIdentity, date));
  return dates;
}

function* verifyCollateral(run: Run, collateral: DatedCollateral, trustedRoot: Certificate, date: number): Step<void> {
  const { pckChain, rootCaCrl, pckCrl, tcbInfo, qeIdentity } = collateral;
  const documents = { rootCaCrl, trustedRoot, date };
  const checks: readonly (readonly [string, () => Step<void>, Words])[] = [
    [
      "PCK certificate",
      () => verifyPckCertificate({ chain: pckChain, rootCaCrl, pckCrl, trustedRoot, date }),
      "chain, both CRLs and validity are in order",
    ],
    [
      "TCB info",
      () => verifyTcbInfo({ ...documents, document: tcbInfo, chain: collateral.tcbInfoIssuerChain }),
      () =>
        `${tcbInfo.id} version ${tcbInfo.version}, evaluation data number ${tcbInfo.tcbEvaluationDataNumber}, signed by its chain`,
    ],
    [
      "QE identity",
      () => verifyQeIdentity({ ...documents, document: qeIdentity, chain: collateral.qeIdentityIssuerChain }),
      () => `${qeIdentity.id}, evaluation data number ${qeIdentity.tcbEvaluationDataNumber}, signed by its chain`,
    ],
  ];
  for (const [name, check, found] of checks) {
    run.enter(name);
    try {
      yield* check();
      run.passed(found);
    } catch (error) {
      run.expiredOrThrow(error);
    }
  }
  run.warnings.push(...chainWarnings(pckChain, date), ...chainWarnings(collateral.tcbInfoIssuerChain, date));
}

function describeLevel({ level }: TcbLevelVerdict): string {
  const advisories = level.advisoryIds.length === 0 ? "no advisories" : level.advisoryIds.join(", ");
  return `level of ${isoDate(level.tcbDate)}, ${level.tcbStatus}, ${advisories}`;
}

/** Ends the verification unless the verdict is one of those that leave the decision to the relying party. */
function checkTerminal(status: QvlStatus): void {
  if (statusToResult(status) === "UNSPECIFIED")
    end(status, statusToQuote3(status), "this TCB status ends the verification");
}

function* steps(
  run: Run,
  bytes: Uint8Array,
  read: ReadCollateral,
  terms: VerificationTerms,
  memory: Memory,
): Step<QvlStatus> {
  const date = Math.floor(terms.now.getTime() / 1000);
  const { texts } = read;
  checkParameters(run, bytes, read, date);
  const quote = readCertifiedQuote(run, bytes);
  run.enter("TCB info format");
  const tcbInfo = accepted(yield* memory.parsed("tcbInfo", "tcbInfo", texts.tcbInfo));
  const chain = yield* readPckChain(run, quote, memory, terms.trustedRoots);
  const root = chain.root as Certificate;
  const collateral = yield* readCollateral(run, texts, tcbInfo, chain, memory);
  const dates = checkDates(run, collateral, date);
  yield* verifyCollateral(run, collateral, root, date);
  const { pck } = chain;
  if (pck === undefined) return end("STATUS_SGX_PCK_MISSING", Quote3.UNEXPECTED, "no PCK certificate is in the chain");
  const { pckCrl, rootCaCrl, qeIdentity } = collateral;
  run.enter("quote");
  const verdict = yield* verifyQuoteContent({ quote, pck, pckCrl, tcbInfo, qeIdentity }, (name, status, found) =>
    run.noted(name, status, found),
  );
  run.noted("TCB level", verdict.status, () => describeLevel(verdict));
  checkTerminal(verdict.status);
  run.enter("supplemental data");
  const supplemental = yield* fillSupplemental({ quote, pck, root, tcbInfo, qeIdentity, rootCaCrl, pckCrl, dates });
  if ("ret" in supplemental) return end(verdict.status, supplemental.ret, supplemental.detail);
  const { level } = verdict;
  run.advisories = level.advisoryIds;
  run.warnings.push(...pckWarnings(pck));
  if (level.advisoryIds.join(",") !== supplemental.advisoryList) {
    run.warnings.push("the supplemental data's advisory list is cut; `advisories` has them all");
  }
  run.add({
    supplemental,
    tcbLevel: {
      status: level.tcbStatus,
      date: new Date(level.tcbDate * 1000),
      sgxComponents: level.sgxComponents,
      pceSvn: level.pceSvn,
      tdxComponents: level.tdxComponents,
    },
  });
  return verdict.status;
}

/** One whole verification as a step: see `verifyQuote` for what it does and `runStep` for how it is run. */
export function* verification(
  quote: Uint8Array,
  collateral: Collateral | QveCollateral,
  terms: VerificationTerms,
  memory: Memory,
): Step<VerificationResult> {
  checkTrustedRoots(terms.trustedRoots);
  const read = memory.collateral(collateral);
  const run = new Run();
  // A plain view: taking parts of a Buffer costs several times as much.
  const bytes = new Uint8Array(quote.buffer, quote.byteOffset, quote.byteLength);
  try {
    return run.verdict(yield* steps(run, bytes, read, terms, memory));
  } catch (error) {
    return run.failure(error);
  } finally {
    memory.endOfVerification();
  }
}
