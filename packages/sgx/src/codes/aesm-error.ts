/** aesm_error_t: the errorCode of every AESM reply (spec: AESM §5.1). */
export const AESM_ERRORS = {
  0: { name: "SUCCESS", explanation: "The operation succeeded." },
  1: {
    name: "UNEXPECTED_ERROR",
    explanation:
      "Something failed that has no code of its own, or a required field was missing; the service's log has the cause.",
  },
  2: { name: "NO_DEVICE_ERROR", explanation: "No usable SGX device." },
  3: { name: "PARAMETER_ERROR", explanation: "A field has a wrong size or value, or the buffer is too small." },
  4: { name: "EPIDBLOB_ERROR", explanation: "The stored EPID data is damaged." },
  5: { name: "EPID_REVOKED_ERROR", explanation: "The EPID group or member is revoked." },
  6: { name: "GET_LICENSETOKEN_ERROR", explanation: "The launch enclave refused a token." },
  7: { name: "SESSION_INVALID", explanation: "Retired: the platform service session does not exist." },
  8: { name: "MAX_NUM_SESSION_REACHED", explanation: "Retired: too many platform service sessions." },
  9: { name: "PSDA_UNAVAILABLE", explanation: "Retired: platform services are unavailable." },
  10: { name: "EPH_SESSION_FAILED", explanation: "Retired: no session with the management engine." },
  11: { name: "LONG_TERM_PAIRING_FAILED", explanation: "Retired: pairing with the management engine failed." },
  12: { name: "NETWORK_ERROR", explanation: "A server that the service needs could not be reached." },
  13: { name: "NETWORK_BUSY_ERROR", explanation: "A server that the service needs is busy." },
  14: { name: "PROXY_SETTING_ASSIST", explanation: "The proxy setting needs attention." },
  15: { name: "FILE_ACCESS_ERROR", explanation: "A file of the service could not be read or written." },
  16: { name: "SGX_PROVISION_FAILED", explanation: "Provisioning failed." },
  17: { name: "SERVICE_STOPPED", explanation: "The service is shutting down." },
  18: { name: "BUSY", explanation: "The service is busy; try again." },
  19: { name: "BACKEND_SERVER_BUSY", explanation: "The backend server is busy; try again." },
  20: { name: "UPDATE_AVAILABLE", explanation: "Platform software or microcode is out of date." },
  21: { name: "OUT_OF_MEMORY_ERROR", explanation: "The service is out of memory." },
  22: { name: "MSG_ERROR", explanation: "A message between components was malformed." },
  23: { name: "THREAD_ERROR", explanation: "A thread could not be started." },
  24: { name: "SGX_DEVICE_NOT_AVAILABLE", explanation: "SGX is not available on this machine." },
  25: { name: "ENABLE_SGX_DEVICE_FAILED", explanation: "SGX could not be enabled." },
  26: { name: "PLATFORM_INFO_BLOB_INVALID_SIG", explanation: "The platform info has a bad signature." },
  27: { name: "SERVICE_NOT_AVAILABLE", explanation: "Not used by the reference service; one client names it so." },
  28: { name: "KDF_MISMATCH", explanation: "The key derivation functions differ." },
  29: { name: "OUT_OF_EPC", explanation: "Not enough enclave memory." },
  30: {
    name: "SERVICE_UNAVAILABLE",
    explanation: "This service is not offered here (EPID, launch), or has no quoting enclave.",
  },
  31: { name: "UNRECOGNIZED_PLATFORM", explanation: "The attestation service does not know this platform." },
  32: { name: "ECDSA_ID_MISMATCH", explanation: "The attestation key's id does not match." },
  33: { name: "PATHNAME_BUFFER_OVERFLOW_ERROR", explanation: "A path is too long." },
  34: { name: "ERROR_STORED_KEY", explanation: "The stored attestation key cannot be used." },
  35: { name: "PUB_KEY_ID_MISMATCH", explanation: "The public key id does not match." },
  36: { name: "INVALID_PCE_SIG_SCHEME", explanation: "The PCE signs with an unknown scheme." },
  37: { name: "ATT_KEY_BLOB_ERROR", explanation: "The attestation key blob is damaged." },
  38: {
    name: "UNSUPPORTED_ATT_KEY_ID",
    explanation: "No quoting enclave here has that attestation key id, or it did not load.",
  },
  39: { name: "UNSUPPORTED_LOADING_POLICY", explanation: "The enclave load policy is unknown." },
  40: { name: "INTERFACE_UNAVAILABLE", explanation: "A quoting enclave could not be reached." },
  41: { name: "PLATFORM_LIB_UNAVAILABLE", explanation: "The quote provider library is missing." },
  42: {
    name: "ATT_KEY_NOT_INITIALIZED",
    explanation: "The attestation key does not exist yet or its TCB moved: call init_quote_ex, then ask again.",
  },
  43: { name: "ATT_KEY_CERT_DATA_INVALID", explanation: "The PCK certificate data has an impossible size or form." },
  44: { name: "NO_PLATFORM_CERT_DATA", explanation: "There is no PCK certificate for this platform." },
  45: { name: "ERROR_REPORT", explanation: "A report could not be processed (reserved; 47 is used)." },
  46: { name: "ENCLAVE_LOST", explanation: "An enclave was lost, for instance after suspend." },
  47: { name: "INVALID_REPORT", explanation: "The report is not for this quoting enclave, or its MAC is wrong." },
  48: { name: "ENCLAVE_LOAD_ERROR", explanation: "A quoting enclave could not be loaded." },
  49: { name: "UNABLE_TO_GENERATE_QE_REPORT", explanation: "The quoting enclave could not report to the application." },
  50: { name: "KEY_CERTIFICATION_ERROR", explanation: "The PCE did not certify the attestation key." },
  51: { name: "CONFIG_UNSUPPORTED", explanation: "The configuration bits are not supported." },
} as const;

export type AesmErrorCode = keyof typeof AESM_ERRORS;
export type AesmErrorName = (typeof AESM_ERRORS)[AesmErrorCode]["name"];

/** The codes by name: `Aesm.INVALID_REPORT` is 47. */
export const Aesm = Object.fromEntries(Object.entries(AESM_ERRORS).map(([code, { name }]) => [name, Number(code)])) as {
  readonly [C in AesmErrorCode as (typeof AESM_ERRORS)[C]["name"]]: C;
};

export function isAesmErrorCode(code: number): code is AesmErrorCode {
  return Object.hasOwn(AESM_ERRORS, code);
}

/** `INVALID_REPORT` for 47; `AESM error 99` for a code outside the table. */
export function aesmErrorName(code: number): string {
  return isAesmErrorCode(code) ? AESM_ERRORS[code].name : `AESM error ${code}`;
}
