/** quote3_error_t: what DCAP's quoting and verification calls return (spec: DCAP §11). */
export const QUOTE3_ERRORS = {
  0: { name: "SUCCESS", explanation: "No error." },
  57345: { name: "UNEXPECTED", explanation: "Something failed that has no code of its own." },
  57346: { name: "INVALID_PARAMETER", explanation: "A parameter has a wrong size or value." },
  57347: { name: "OUT_OF_MEMORY", explanation: "Out of memory." },
  57348: { name: "ECDSA_ID_MISMATCH", explanation: "The stored key's id does not match the expected one." },
  57349: { name: "PATHNAME_BUFFER_OVERFLOW", explanation: "A path is too long." },
  57350: { name: "FILE_ACCESS_ERROR", explanation: "A file could not be read or written." },
  57351: { name: "ERROR_STORED_KEY", explanation: "The stored attestation key cannot be used." },
  57352: { name: "PUB_KEY_ID_MISMATCH", explanation: "The public key id does not match." },
  57353: { name: "INVALID_PCE_SIG_SCHEME", explanation: "The PCE signs with an unknown scheme." },
  57354: { name: "ATT_KEY_BLOB_ERROR", explanation: "The attestation key blob is damaged." },
  57355: {
    name: "UNSUPPORTED_ATT_KEY_ID",
    explanation: "No quoting enclave has that attestation key id, or it did not load.",
  },
  57356: { name: "UNSUPPORTED_LOADING_POLICY", explanation: "The enclave load policy is unknown." },
  57357: { name: "INTERFACE_UNAVAILABLE", explanation: "The quoting enclave or the PCE could not be loaded." },
  57358: { name: "PLATFORM_LIB_UNAVAILABLE", explanation: "The quote provider library is missing." },
  57359: {
    name: "ATT_KEY_NOT_INITIALIZED",
    explanation: "The attestation key does not exist yet or its TCB moved: get the target info again.",
  },
  57360: { name: "ATT_KEY_CERT_DATA_INVALID", explanation: "The PCK certificate data has an impossible size or form." },
  57361: { name: "NO_PLATFORM_CERT_DATA", explanation: "There is no PCK certificate for this platform." },
  57362: { name: "OUT_OF_EPC", explanation: "Not enough enclave memory." },
  57363: { name: "ERROR_REPORT", explanation: "The enclave report could not be processed." },
  57364: { name: "ENCLAVE_LOST", explanation: "The enclave was lost, for instance after suspend." },
  57365: { name: "INVALID_REPORT", explanation: "The report is not for this quoting enclave, or its MAC is wrong." },
  57366: { name: "ENCLAVE_LOAD_ERROR", explanation: "The enclave could not be loaded." },
  57367: {
    name: "UNABLE_TO_GENERATE_QE_REPORT",
    explanation: "The quoting enclave could not report to the application.",
  },
  57368: { name: "KEY_CERTIFICATION_ERROR", explanation: "The PCE did not certify the attestation key." },
  57369: { name: "NETWORK_ERROR", explanation: "A server could not be reached." },
  57370: { name: "MESSAGE_ERROR", explanation: "A message between components was malformed." },
  57371: { name: "NO_QUOTE_COLLATERAL_DATA", explanation: "The collateral for this quote is not available." },
  57372: {
    name: "QUOTE_CERTIFICATION_DATA_UNSUPPORTED",
    explanation: "The quote does not carry a PCK certificate chain.",
  },
  57373: { name: "QUOTE_FORMAT_UNSUPPORTED", explanation: "The quote's format is wrong or unknown." },
  57374: { name: "UNABLE_TO_GENERATE_REPORT", explanation: "The verification report could not be made." },
  57375: { name: "QE_REPORT_INVALID_SIGNATURE", explanation: "The PCK key did not sign the QE's report." },
  57376: { name: "QE_REPORT_UNSUPPORTED_FORMAT", explanation: "The QE's report has an unknown format." },
  57377: { name: "PCK_CERT_UNSUPPORTED_FORMAT", explanation: "The PCK certificate has an unsupported format." },
  57378: { name: "PCK_CERT_CHAIN_ERROR", explanation: "The PCK certificate chain is broken or ends in another root." },
  57379: { name: "TCBINFO_UNSUPPORTED_FORMAT", explanation: "The TCB info has a wrong format." },
  57380: { name: "TCBINFO_MISMATCH", explanation: "The TCB info is for another platform." },
  57381: { name: "QEIDENTITY_UNSUPPORTED_FORMAT", explanation: "The QE identity has a wrong format." },
  57382: { name: "QEIDENTITY_MISMATCH", explanation: "The QE is not the one that the QE identity describes." },
  57383: { name: "TCB_OUT_OF_DATE", explanation: "The platform's TCB level is out of date." },
  57384: {
    name: "TCB_OUT_OF_DATE_CONFIGURATION_NEEDED",
    explanation: "The platform's TCB level is out of date and its configuration needs attention.",
  },
  57385: { name: "SGX_ENCLAVE_IDENTITY_OUT_OF_DATE", explanation: "The enclave identity is out of date." },
  57386: { name: "SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE", explanation: "The enclave's ISVSVN is out of date." },
  57387: { name: "QE_IDENTITY_OUT_OF_DATE", explanation: "The QE identity is out of date." },
  57388: { name: "SGX_TCB_INFO_EXPIRED", explanation: "The TCB info has expired." },
  57389: { name: "SGX_PCK_CERT_CHAIN_EXPIRED", explanation: "A certificate of the PCK chain has expired." },
  57390: { name: "SGX_CRL_EXPIRED", explanation: "A certificate revocation list has expired." },
  57391: { name: "SGX_SIGNING_CERT_CHAIN_EXPIRED", explanation: "A certificate of the TCB signing chain has expired." },
  57392: { name: "SGX_ENCLAVE_IDENTITY_EXPIRED", explanation: "The QE identity has expired." },
  57393: { name: "PCK_REVOKED", explanation: "A certificate is revoked." },
  57394: { name: "TCB_REVOKED", explanation: "The TCB level or the QE is revoked." },
  57395: { name: "TCB_CONFIGURATION_NEEDED", explanation: "The platform's configuration needs attention." },
  57396: { name: "UNABLE_TO_GET_COLLATERAL", explanation: "The collateral could not be fetched." },
  57397: { name: "INVALID_PRIVILEGE", explanation: "The provisioning key right is missing." },
  57399: { name: "NO_QVE_IDENTITY_DATA", explanation: "The QvE identity is not available." },
  57400: { name: "CRL_UNSUPPORTED_FORMAT", explanation: "A certificate revocation list has a wrong format." },
  57401: { name: "QEIDENTITY_CHAIN_ERROR", explanation: "The QE identity's signature or its chain is wrong." },
  57402: { name: "TCBINFO_CHAIN_ERROR", explanation: "The TCB info's signature or its chain is wrong." },
  57403: { name: "ERROR_QVL_QVE_MISMATCH", explanation: "Verification library and enclave disagree." },
  57404: { name: "TCB_SW_HARDENING_NEEDED", explanation: "The platform needs software hardening." },
  57405: {
    name: "TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED",
    explanation: "The platform needs configuration and software hardening.",
  },
  57406: { name: "UNSUPPORTED_MODE", explanation: "This call does not exist in the out-of-process mode." },
  57407: { name: "NO_DEVICE", explanation: "No usable SGX device." },
  57408: { name: "SERVICE_UNAVAILABLE", explanation: "The AESM service could not be reached." },
  57409: { name: "NETWORK_FAILURE", explanation: "The AESM service could not reach a server." },
  57410: { name: "SERVICE_TIMEOUT", explanation: "The AESM service did not answer in time." },
  57411: { name: "ERROR_BUSY", explanation: "The AESM service is busy." },
  57412: { name: "UNKNOWN_MESSAGE_RESPONSE", explanation: "A collateral server gave an unknown answer." },
  57413: { name: "PERSISTENT_STORAGE_ERROR", explanation: "Stored data could not be read or written." },
  57414: { name: "ERROR_MESSAGE_PARSING_ERROR", explanation: "A collateral server's answer could not be read." },
  57415: { name: "PLATFORM_UNKNOWN", explanation: "The collateral server does not know this platform." },
  57416: { name: "UNKNOWN_API_VERSION", explanation: "The collateral server speaks another API version." },
  57417: { name: "CERTS_UNAVAILABLE", explanation: "The certificates for this TCB are not available." },
  57424: { name: "QVEIDENTITY_MISMATCH", explanation: "The QvE is not the one that its identity describes." },
  57425: { name: "QVE_OUT_OF_DATE", explanation: "The QvE is out of date." },
  57426: { name: "PSW_NOT_AVAILABLE", explanation: "The SGX platform software is not available." },
  57427: { name: "COLLATERAL_VERSION_NOT_SUPPORTED", explanation: "The collateral's version is not supported." },
  57440: { name: "TDX_MODULE_MISMATCH", explanation: "The TDX module is not one that the TCB info describes." },
  57441: { name: "QEIDENTITY_NOT_FOUND", explanation: "The QE identity was not found." },
  57442: { name: "TCBINFO_NOT_FOUND", explanation: "The TCB info was not found." },
  57443: { name: "INTERNAL_SERVER_ERROR", explanation: "The collateral server failed." },
  57444: {
    name: "SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED",
    explanation: "The supplemental data's version is not supported.",
  },
  57445: { name: "ROOT_CA_UNTRUSTED", explanation: "The server's TLS certificate is not trusted." },
  57446: { name: "TCB_NOT_SUPPORTED", explanation: "The platform's TCB is lower than every known level." },
  57447: { name: "CONFIG_INVALID_JSON", explanation: "The provider's configuration is not valid JSON." },
  57448: { name: "RESULT_INVALID_SIGNATURE", explanation: "A signature is wrong." },
  57456: {
    name: "QAEIDENTITY_MISMATCH",
    explanation: "The appraisal enclave is not the one that its identity describes.",
  },
  57457: { name: "QAE_OUT_OF_DATE", explanation: "The appraisal enclave is out of date." },
  57458: { name: "QUOTE_HASH_MISMATCH", explanation: "The appraisal is about another quote." },
  57459: { name: "REPORT_DATA_MISMATCH", explanation: "The appraisal report's data does not match." },
} as const;

export type Quote3ErrorCode = keyof typeof QUOTE3_ERRORS;
export type Quote3ErrorName = (typeof QUOTE3_ERRORS)[Quote3ErrorCode]["name"];

/** The codes by name: `Quote3.INVALID_REPORT` is 0xe015. */
export const Quote3 = Object.fromEntries(
  Object.entries(QUOTE3_ERRORS).map(([code, { name }]) => [name, Number(code)]),
) as { readonly [C in Quote3ErrorCode as (typeof QUOTE3_ERRORS)[C]["name"]]: C };

export function isQuote3ErrorCode(code: number): code is Quote3ErrorCode {
  return Object.hasOwn(QUOTE3_ERRORS, code);
}

/** `INVALID_REPORT` for 0xe015; `quote3 error 0x....` for a code outside the table. */
export function quote3ErrorName(code: number): string {
  return isQuote3ErrorCode(code) ? QUOTE3_ERRORS[code].name : `quote3 error 0x${code.toString(16).padStart(4, "0")}`;
}
