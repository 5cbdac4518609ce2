import { Quote3, type Quote3ErrorCode, type QvResultName } from "@confcom/sgx";

type Outcome = readonly [ret: Quote3ErrorCode, explanation: string, result?: QvResultName];

/**
 * What a step of the reference verifier can answer, the quote3_error_t it becomes for the caller and, for the ones that
 * end with a verdict, the sgx_ql_qv_result_t (spec: DCAP §11). Names are the reference verifier's own, but for the last:
 * it knows no certificates with quotes.
 */
export const QVL_STATUSES = {
  STATUS_OK: [Quote3.SUCCESS, "Everything this step looks at is in order.", "OK"],
  STATUS_MISSING_PARAMETERS: [Quote3.INVALID_PARAMETER, "An input is missing, too short or too large."],
  STATUS_UNSUPPORTED_QUOTE_FORMAT: [Quote3.QUOTE_FORMAT_UNSUPPORTED, "The quote is damaged or of an unknown kind."],
  STATUS_UNSUPPORTED_QE_CERTIFICATION_DATA_TYPE: [
    Quote3.QUOTE_CERTIFICATION_DATA_UNSUPPORTED,
    "The quote does not carry its PCK certificate chain.",
  ],
  STATUS_UNSUPPORTED_CERT_FORMAT: [
    Quote3.PCK_CERT_UNSUPPORTED_FORMAT,
    "A certificate chain is unreadable or has another number of certificates than expected.",
  ],
  STATUS_UNSUPPORTED_PCK_CERT_FORMAT: [Quote3.PCK_CERT_UNSUPPORTED_FORMAT, "The PCK certificate is unreadable."],
  STATUS_INVALID_PCK_CERT: [Quote3.PCK_CERT_CHAIN_ERROR, "The certificate is not a PCK certificate."],
  STATUS_INVALID_PCK_CRL: [Quote3.UNEXPECTED, "The PCK CRL was not issued by the CA of the PCK certificate."],
  STATUS_UNSUPPORTED_PCK_RL_FORMAT: [Quote3.UNEXPECTED, "The PCK CRL is unreadable."],
  STATUS_PCK_REVOKED: [Quote3.PCK_REVOKED, "The PCK certificate is revoked."],
  STATUS_SGX_ROOT_CA_MISSING: [Quote3.UNEXPECTED, "The chain has no self-issued certificate named SGX Root CA."],
  STATUS_SGX_ROOT_CA_INVALID: [Quote3.UNEXPECTED, "The chain's root certificate is not a root."],
  STATUS_SGX_ROOT_CA_INVALID_ISSUER: [Quote3.UNEXPECTED, "The root certificate did not sign itself."],
  STATUS_SGX_ROOT_CA_INVALID_EXTENSIONS: [
    Quote3.UNEXPECTED,
    "The first certificate of a chain lacks an extension it must have.",
  ],
  STATUS_SGX_ROOT_CA_UNTRUSTED: [Quote3.PCK_CERT_CHAIN_ERROR, "The chain ends in a root that is not trusted."],
  STATUS_TRUSTED_ROOT_CA_INVALID: [Quote3.UNEXPECTED, "The trusted root certificate is not self-issued."],
  STATUS_TRUSTED_ROOT_CA_UNSUPPORTED_FORMAT: [Quote3.UNEXPECTED, "The trusted root certificate is unreadable."],
  STATUS_SGX_INTERMEDIATE_CA_MISSING: [Quote3.UNEXPECTED, "The chain has no intermediate CA certificate."],
  STATUS_SGX_INTERMEDIATE_CA_INVALID_ISSUER: [
    Quote3.UNEXPECTED,
    "The intermediate CA certificate was not signed by the root.",
  ],
  STATUS_SGX_INTERMEDIATE_CA_INVALID_EXTENSIONS: [
    Quote3.UNEXPECTED,
    "The second certificate of a chain lacks an extension it must have.",
  ],
  STATUS_SGX_INTERMEDIATE_CA_REVOKED: [Quote3.PCK_REVOKED, "The intermediate CA certificate is revoked."],
  STATUS_SGX_PCK_MISSING: [Quote3.UNEXPECTED, "The chain has no certificate named SGX PCK Certificate."],
  STATUS_SGX_PCK_INVALID_ISSUER: [Quote3.UNEXPECTED, "The PCK certificate was not signed by the intermediate CA."],
  STATUS_SGX_PCK_INVALID_EXTENSIONS: [
    Quote3.UNEXPECTED,
    "The PCK certificate, or the third of the chain, lacks an extension it must have.",
  ],
  STATUS_SGX_PCK_REVOKED: [Quote3.PCK_REVOKED, "The PCK certificate is revoked."],
  STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED: [
    Quote3.PCK_CERT_CHAIN_ERROR,
    "The chain's root certificate is not the trusted one.",
  ],
  STATUS_SGX_PCK_CERT_CHAIN_EXPIRED: [Quote3.SGX_PCK_CERT_CHAIN_EXPIRED, "A certificate of the PCK chain has expired."],
  STATUS_SGX_CRL_UNSUPPORTED_FORMAT: [Quote3.UNEXPECTED, "A CRL is unreadable or has no number."],
  STATUS_SGX_CRL_UNKNOWN_ISSUER: [Quote3.UNEXPECTED, "A CRL was not issued by the CA it is used for."],
  STATUS_SGX_CRL_INVALID_EXTENSIONS: [Quote3.UNEXPECTED, "A CRL lacks its number or its authority key identifier."],
  STATUS_SGX_CRL_INVALID_SIGNATURE: [Quote3.RESULT_INVALID_SIGNATURE, "A CRL's signature is wrong."],
  STATUS_SGX_CRL_EXPIRED: [Quote3.SGX_CRL_EXPIRED, "A CRL is past its next update, or not valid yet."],
  STATUS_SGX_TCB_SIGNING_CERT_MISSING: [Quote3.UNEXPECTED, "The chain has no certificate named SGX TCB Signing."],
  STATUS_SGX_TCB_SIGNING_CERT_INVALID_ISSUER: [
    Quote3.UNEXPECTED,
    "The TCB signing certificate was not signed by the root.",
  ],
  STATUS_SGX_TCB_SIGNING_CERT_INVALID_EXTENSIONS: [
    Quote3.UNEXPECTED,
    "The second certificate of a chain of two lacks an extension it must have.",
  ],
  STATUS_SGX_TCB_SIGNING_CERT_REVOKED: [Quote3.PCK_REVOKED, "The TCB signing certificate is revoked."],
  STATUS_SGX_TCB_SIGNING_CERT_CHAIN_UNTRUSTED: [
    Quote3.TCBINFO_CHAIN_ERROR,
    "The root of the TCB signing chain is not the root of the PCK chain.",
  ],
  STATUS_SGX_SIGNING_CERT_CHAIN_EXPIRED: [
    Quote3.SGX_SIGNING_CERT_CHAIN_EXPIRED,
    "A certificate of the TCB signing chain has expired.",
  ],
  STATUS_SGX_TCB_INFO_UNSUPPORTED_FORMAT: [Quote3.TCBINFO_UNSUPPORTED_FORMAT, "The TCB info is not in a known form."],
  STATUS_SGX_TCB_INFO_INVALID: [Quote3.TCBINFO_UNSUPPORTED_FORMAT, "A field of the TCB info has an impossible value."],
  STATUS_UNSUPPORTED_TCB_INFO_FORMAT: [Quote3.TCBINFO_UNSUPPORTED_FORMAT, "The TCB info is unreadable."],
  STATUS_TCB_INFO_INVALID_SIGNATURE: [Quote3.TCBINFO_CHAIN_ERROR, "The TCB info's signature is wrong."],
  STATUS_SGX_TCB_INFO_EXPIRED: [Quote3.SGX_TCB_INFO_EXPIRED, "The TCB info is past its next update."],
  STATUS_TCB_INFO_MISMATCH: [Quote3.TCBINFO_MISMATCH, "The TCB info is for another TEE or platform model."],
  STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_FORMAT: [
    Quote3.QEIDENTITY_CHAIN_ERROR,
    "The QE identity is not JSON or has no signature.",
  ],
  STATUS_SGX_ENCLAVE_IDENTITY_INVALID: [
    Quote3.QEIDENTITY_CHAIN_ERROR,
    "A field of the QE identity is missing or has an impossible value.",
  ],
  STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION: [
    Quote3.QEIDENTITY_CHAIN_ERROR,
    "The QE identity has an unknown version.",
  ],
  STATUS_UNSUPPORTED_QE_IDENTITY_FORMAT: [Quote3.QEIDENTITY_CHAIN_ERROR, "The QE identity is unreadable."],
  STATUS_SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE: [
    Quote3.QEIDENTITY_CHAIN_ERROR,
    "The QE identity's signature is wrong.",
  ],
  STATUS_SGX_ENCLAVE_IDENTITY_EXPIRED: [
    Quote3.SGX_ENCLAVE_IDENTITY_EXPIRED,
    "The QE identity is past its next update.",
  ],
  STATUS_QE_IDENTITY_MISMATCH: [
    Quote3.QEIDENTITY_MISMATCH,
    "The quoting enclave is not the one the QE identity names.",
  ],
  STATUS_SGX_ENCLAVE_REPORT_UNSUPPORTED_FORMAT: [
    Quote3.QE_REPORT_UNSUPPORTED_FORMAT,
    "An enclave report is unreadable.",
  ],
  STATUS_SGX_ENCLAVE_REPORT_MISCSELECT_MISMATCH: [
    Quote3.QEIDENTITY_MISMATCH,
    "MISCSELECT is not what the identity says.",
  ],
  STATUS_SGX_ENCLAVE_REPORT_ATTRIBUTES_MISMATCH: [
    Quote3.QEIDENTITY_MISMATCH,
    "ATTRIBUTES are not what the identity says.",
  ],
  STATUS_SGX_ENCLAVE_REPORT_MRSIGNER_MISMATCH: [Quote3.QEIDENTITY_MISMATCH, "MRSIGNER is not what the identity says."],
  STATUS_SGX_ENCLAVE_REPORT_ISVPRODID_MISMATCH: [
    Quote3.QEIDENTITY_MISMATCH,
    "ISVPRODID is not what the identity says.",
  ],
  STATUS_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE: [
    Quote3.SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE,
    "The enclave's ISVSVN is out of date.",
    "OUT_OF_DATE",
  ],
  STATUS_SGX_ENCLAVE_REPORT_ISVSVN_REVOKED: [Quote3.TCB_REVOKED, "The enclave's ISVSVN is revoked."],
  STATUS_SGX_ENCLAVE_REPORT_ISVSVN_NOT_SUPPORTED: [
    Quote3.UNEXPECTED,
    "The identity has no level for the enclave's ISVSVN.",
  ],
  STATUS_INVALID_QE_REPORT_SIGNATURE: [
    Quote3.QE_REPORT_INVALID_SIGNATURE,
    "The PCK key did not sign the quoting enclave's report.",
  ],
  STATUS_INVALID_QE_REPORT_DATA: [
    Quote3.UNEXPECTED,
    "The quoting enclave's report does not name the attestation key in the quote.",
  ],
  STATUS_INVALID_QUOTE_SIGNATURE: [
    Quote3.RESULT_INVALID_SIGNATURE,
    "The attestation key did not sign this header and body.",
  ],
  STATUS_TDX_MODULE_MISMATCH: [Quote3.TDX_MODULE_MISMATCH, "The TDX module is not one the TCB info names."],
  STATUS_TCB_NOT_SUPPORTED: [Quote3.TCB_NOT_SUPPORTED, "No TCB level is as low as this platform's."],
  STATUS_TCB_REVOKED: [Quote3.TCB_REVOKED, "The platform's TCB level, or the quoting enclave's, is revoked."],
  STATUS_TCB_UNRECOGNIZED_STATUS: [Quote3.UNEXPECTED, "The statuses found have no meaning together."],
  STATUS_TCB_OUT_OF_DATE: [Quote3.TCB_OUT_OF_DATE, "The TCB is out of date.", "OUT_OF_DATE"],
  STATUS_TCB_CONFIGURATION_NEEDED: [
    Quote3.TCB_CONFIGURATION_NEEDED,
    "The platform's configuration needs attention.",
    "CONFIG_NEEDED",
  ],
  STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED: [
    Quote3.TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    "The TCB is out of date and the platform's configuration needs attention.",
    "OUT_OF_DATE_CONFIG_NEEDED",
  ],
  STATUS_TCB_SW_HARDENING_NEEDED: [
    Quote3.TCB_SW_HARDENING_NEEDED,
    "The enclave must be hardened in software against known attacks.",
    "SW_HARDENING_NEEDED",
  ],
  STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED: [
    Quote3.TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    "The platform's configuration needs attention and the enclave must be hardened in software.",
    "CONFIG_AND_SW_HARDENING_NEEDED",
  ],
  STATUS_TCB_TD_RELAUNCH_ADVISED: [
    Quote3.SUCCESS,
    "A newer TDX module is loaded; the TD must be relaunched to profit.",
    "TD_RELAUNCH_ADVISED",
  ],
  STATUS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED: [
    Quote3.SUCCESS,
    "A newer TDX module is loaded; relaunch the TD, and the platform's configuration needs attention.",
    "TD_RELAUNCH_ADVISED_CONFIG_NEEDED",
  ],
  STATUS_CERTIFICATE_KEY_NOT_BOUND: [
    Quote3.UNEXPECTED,
    "The quote does not vouch for the public key of the certificate that carries it.",
  ],
} as const satisfies Readonly<Record<string, Outcome>>;

export type QvlStatus = keyof typeof QVL_STATUSES;

export function statusToQuote3(status: QvlStatus): Quote3ErrorCode {
  return (QVL_STATUSES[status] as Outcome)[0];
}

/** The verdict of a status that is one; every other status is UNSPECIFIED. */
export function statusToResult(status: QvlStatus): QvResultName {
  return (QVL_STATUSES[status] as Outcome)[2] ?? "UNSPECIFIED";
}

export function explainStatus(status: QvlStatus): string {
  return QVL_STATUSES[status][1];
}

/** Expired collateral does not end a verification, it only marks the result (spec: DCAP §10 A). */
export function isExpiration(status: QvlStatus): boolean {
  return status.endsWith("_EXPIRED");
}

/** A step's refusal on its way to the caller of that step; it never leaves this package. */
export class Rejection extends Error {
  readonly status: QvlStatus;

  constructor(status: QvlStatus, detail: string) {
    super(detail);
    this.name = "Rejection";
    this.status = status;
  }
}
