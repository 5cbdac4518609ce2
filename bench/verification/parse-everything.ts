import { decodeQuote, decodeReportBody } from "@confcom/sgx";
import { parseChain } from "../../packages/verify/src/x509/chain.ts";

/**
 * Everything in a quote that has a field of its own, nothing remembered from the quote before: header, body, signature
 * data, the quoting enclave's report, the PEM chain, of each of the three certificates version, serial number, both names as
 * text, validity, public key, extensions and signature, and all of the SGX extension. Returns a number that depends on
 * the last thing decoded in each part, so that none of it is idle.
 */
export function parseEverything(bytes: Uint8Array): number {
  const quote = decodeQuote(bytes);
  const qeReport = decodeReportBody(quote.signatureData.qeReport);
  const { certificates, pck } = parseChain(quote.signatureData.certificationData);
  if (certificates.length !== 3 || pck?.sgx.tcb.cpuSvn.length !== 16) throw new Error("the quote is not parsed whole");
  let seen = quote.signatureData.unusedBytes + qeReport.isvSvn + pck.sgx.elementCount;
  for (const { subject, issuer, notAfter, extensions, signature } of certificates) {
    seen += subject.text.length + issuer.text.length + notAfter + extensions.length + (signature?.length ?? 0);
  }
  return seen;
}
