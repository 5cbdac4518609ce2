import { ATTRIBUTE_FLAGS, isZero, type Quote, REPORT_OFFSET } from "@confcom/sgx";
import type { QeIdentity } from "./collateral/qe-identity.ts";
import type { TcbInfo } from "./collateral/tcb-info.ts";
import { isoDate } from "./steps/pck-certificate.ts";
import type { Certificate } from "./x509/certificate.ts";
import type { CertificateChain, PckCertificate } from "./x509/chain.ts";

const BASIC_CONSTRAINTS = 19;

function isCa(certificate: Certificate): boolean {
  const value = certificate.extensions.find(({ arc }) => arc === BASIC_CONSTRAINTS)?.value;
  // SEQUENCE { BOOLEAN TRUE, ... }
  return value !== undefined && value[0] === 0x30 && value[2] === 1 && value[3] === 1 && value[4] === 0xff;
}

function certificateWarnings(certificate: Certificate, mustBeCa: boolean, date: number): string[] {
  const name = certificate.subject.commonName;
  const warnings: string[] = [];
  if (!certificate.ecdsaWithSha256)
    warnings.push(`the certificate "${name}" names another signature algorithm than the one that verifies`);
  if (mustBeCa && !isCa(certificate))
    warnings.push(`the certificate "${name}" is used as a CA and does not say that it is one`);
  if (certificate.notBefore > date)
    warnings.push(`the certificate "${name}" is valid only from ${isoDate(certificate.notBefore)}`);
  return warnings;
}

export function chainWarnings(chain: CertificateChain, date: number): string[] {
  return chain.certificates.flatMap((certificate) =>
    certificateWarnings(certificate, certificate === chain.root || certificate === chain.intermediate, date),
  );
}

export function pckWarnings({ sgx }: PckCertificate): string[] {
  return sgx.cutComponents.length === 0
    ? []
    : [
        `SVNs of the PCK certificate do not fit their field and were cut, as the reference verifier does: ${sgx.cutComponents.join(", ")}`,
      ];
}

export function documentWarnings(tcbInfo: TcbInfo, qeIdentity: QeIdentity, date: number): string[] {
  const warnings: string[] = [];
  if (tcbInfo.tcbLevels.some((level) => level.cut)) {
    warnings.push("SVNs over 255 in the TCB info were cut to 8 bits, as the reference verifier does");
  }
  if (tcbInfo.issueDate > date) warnings.push(`the TCB info was issued later: ${isoDate(tcbInfo.issueDate)}`);
  if (qeIdentity.issueDate > date) warnings.push(`the QE identity was issued later: ${isoDate(qeIdentity.issueDate)}`);
  return warnings;
}

export function quoteWarnings(quote: Quote): string[] {
  const warnings: string[] = [];
  const { body, signatureData } = quote;
  if (body.kind === "sgx" && (body.report.attributes.flags & ATTRIBUTE_FLAGS.DEBUG) !== 0n) {
    warnings.push("the enclave runs in debug mode: its memory can be read and changed from outside");
  }
  if (body.kind !== "sgx" && body.report.tdAttributes[0] !== 0) {
    warnings.push("the TD runs in debug mode: its memory can be read and changed from outside");
  }
  if (!isZero(signatureData.qeReport.subarray(REPORT_OFFSET.REPORTDATA + 32, REPORT_OFFSET.REPORTDATA + 64))) {
    warnings.push("the second half of the quoting enclave's report data is not zero");
  }
  if (signatureData.unusedBytes !== 0) {
    warnings.push(`${signatureData.unusedBytes} bytes inside the signature data belong to nothing`);
  }
  return warnings;
}
