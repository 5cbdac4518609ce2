import { CERTIFICATION_DATA_TYPE, encodeQuoteV3, QUOTE_VENDOR_INTEL, Quote3, REPORT_BODY_SIZE } from "@confcom/sgx";
import { PCE_ISV_SVN } from "../pce/pce-identity.ts";
import type { EcdsaBlob } from "./ecdsa-blob.ts";
import { quotingFailure } from "./qe-errors.ts";
import { QE_ISV_SVN } from "./qe-identity.ts";

/** Certification data outside these sizes is refused by the quote library (spec: DCAP §7). */
const CHAIN_MIN = 500;
const CHAIN_MAX = 12294;

/** A PEM chain as certification data type 5 carries it: with the trailing NUL that the reference counts in (spec: DCAP §3). */
export function certificationDataOf(chainPem: string): Uint8Array {
  const data = new TextEncoder().encode(`${chainPem}\0`);
  if (data.length < CHAIN_MIN || data.length > CHAIN_MAX) {
    throw quotingFailure(
      Quote3.ATT_KEY_CERT_DATA_INVALID,
      `the PCK certificate chain takes ${data.length} bytes; ${CHAIN_MIN} to ${CHAIN_MAX} are allowed`,
      "move the pck-*.json files out of the state directory and start again: they are made anew",
    );
  }
  return data;
}

/**
 * A quote with everything that does not depend on the report: header, attestation key, certified QE report, chain
 * (spec: DCAP §3). SVNs in the header are the current ones; the certified TCB is the chain's.
 */
export function quoteTemplate(key: EcdsaBlob, chainPem: string): Uint8Array {
  const userData = new Uint8Array(20);
  userData.set(key.qeId);
  return encodeQuoteV3(
    {
      version: 3,
      attestationKeyType: 2,
      teeType: 0,
      qeSvn: QE_ISV_SVN,
      pceSvn: PCE_ISV_SVN,
      qeVendorId: QUOTE_VENDOR_INTEL,
      userData,
    },
    new Uint8Array(REPORT_BODY_SIZE),
    {
      signature: new Uint8Array(64),
      attestationKey: key.publicKey,
      qeReport: key.qeReport.subarray(0, REPORT_BODY_SIZE),
      qeReportSignature: key.qeReportSignature,
      qeAuthData: key.authData,
      certificationDataType: CERTIFICATION_DATA_TYPE.PCK_CHAIN,
      certificationData: certificationDataOf(chainPem),
    },
  );
}
