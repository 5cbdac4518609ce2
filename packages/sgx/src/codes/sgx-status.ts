/** The sgx_status_t values that AESM clients return (spec: AESM §5.1, §5.2). */
export const SGX_STATUS = {
  0: { name: "SUCCESS", explanation: "No error." },
  1: {
    name: "ERROR_UNEXPECTED",
    explanation: "Something failed that has no code of its own, or the service closed the connection.",
  },
  2: { name: "ERROR_INVALID_PARAMETER", explanation: "A parameter has a wrong size or value." },
  3: { name: "ERROR_OUT_OF_MEMORY", explanation: "Out of memory." },
  8197: { name: "ERROR_OUT_OF_EPC", explanation: "Not enough enclave memory." },
  8198: { name: "ERROR_NO_DEVICE", explanation: "No usable SGX device." },
  12289: {
    name: "ERROR_MAC_MISMATCH",
    explanation: "The report is not for this quoting enclave, or its MAC is wrong.",
  },
  16385: {
    name: "ERROR_SERVICE_UNAVAILABLE",
    explanation: "The AESM service could not be reached or does not offer this.",
  },
  16386: { name: "ERROR_SERVICE_TIMEOUT", explanation: "The AESM service did not answer in time." },
  16387: { name: "ERROR_AE_INVALID_EPIDBLOB", explanation: "The stored EPID data is damaged." },
  16388: {
    name: "ERROR_SERVICE_INVALID_PRIVILEGE",
    explanation: "The enclave may not have the privilege it asks for.",
  },
  16389: { name: "ERROR_EPID_MEMBER_REVOKED", explanation: "The EPID group or member is revoked." },
  16390: { name: "ERROR_UPDATE_NEEDED", explanation: "Platform software or microcode is out of date." },
  16391: { name: "ERROR_NETWORK_FAILURE", explanation: "The AESM service could not reach a server." },
  16394: { name: "ERROR_BUSY", explanation: "The AESM service is busy." },
  16402: { name: "ERROR_UNRECOGNIZED_PLATFORM", explanation: "The attestation service does not know this platform." },
  16403: { name: "ERROR_UNSUPPORTED_CONFIG", explanation: "The configuration bits are not supported." },
  32769: {
    name: "ERROR_UNSUPPORTED_ATT_KEY_ID",
    explanation: "No quoting enclave has that attestation key id, or it did not load.",
  },
  32770: { name: "ERROR_ATT_KEY_CERTIFICATION_FAILURE", explanation: "The PCE did not certify the attestation key." },
  32771: {
    name: "ERROR_ATT_KEY_UNINITIALIZED",
    explanation: "The attestation key does not exist yet: call init_quote_ex first.",
  },
  32773: { name: "ERROR_PLATFORM_CERT_UNAVAILABLE", explanation: "There is no PCK certificate for this platform." },
} as const;

export type SgxStatusCode = keyof typeof SGX_STATUS;
export type SgxStatusName = (typeof SGX_STATUS)[SgxStatusCode]["name"];

/** The codes by name: `SgxStatus.ERROR_MAC_MISMATCH` is 0x3001. */
export const SgxStatus = Object.fromEntries(
  Object.entries(SGX_STATUS).map(([code, { name }]) => [name, Number(code)]),
) as { readonly [C in SgxStatusCode as (typeof SGX_STATUS)[C]["name"]]: C };

/** `SGX_ERROR_MAC_MISMATCH` for 0x3001; `sgx_status 0x....` for a code outside the table. */
export function sgxStatusName(code: number): string {
  return Object.hasOwn(SGX_STATUS, code)
    ? `SGX_${SGX_STATUS[code as SgxStatusCode].name}`
    : `sgx_status 0x${code.toString(16).padStart(4, "0")}`;
}
