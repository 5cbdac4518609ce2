/** Every failure of this package that is not an answer to an AESM caller: the code, what it means, what to do. */
export const QUOTING_ERRORS = {
  STATE_PATH_INVALID: "the state directory's path cannot be used; give a directory of this service's own",
  STATE_NOT_A_DIRECTORY: "the state path is a link or not a directory; give the real directory",
  STATE_WRONG_OWNER: "state belongs to another user; run as its owner, change the owner, or give another directory",
  STATE_EXPOSED: "other users can write to the state directory; make a new one (0700) and keep nothing from this one",
  STATE_NOT_WRITABLE: "the state directory cannot be written; check permissions, mount options and free space",
  STATE_NOT_READABLE: "a state file cannot be read; check its permissions",
  STATE_NAME_INVALID: "not a state file name (letters, digits, '.', '_', '-')",
  STATE_TOO_LARGE: "a state file is larger than any this service writes; restore it from a backup",
  STATE_DAMAGED:
    "a state file that cannot be made again is damaged; restore it from a backup or start with an empty state directory",
  STATE_REPLACED:
    "the state directory is not the one this process started with; put it back, or restart on the new one",
  STATE_IO: "the file system failed; see the cause",
  PROFILE_FIXED:
    "the CPU profile is fixed when the state directory is made; use that profile or another state directory",
  PLATFORM_UNAVAILABLE: "hardware platform is not part of this version; use the software platform",
  PLATFORM_UNKNOWN: "no such platform; use 'software'",
  OPTION_INVALID: "an option has a value that does not exist; see the message for the valid ones",
  CMAC_DISCARDED: "an AES-CMAC instance that failed or was released must not be used again; make a new one",
  KEY_INVALID: "a key has the wrong size or is outside the group; it cannot be used",
  EGETKEY_INVALID_CPUSVN: "EGETKEY: the CPUSVN asked for is not one this CPU may derive keys for",
  EGETKEY_INVALID_ISVSVN: "EGETKEY: the ISVSVN or CONFIGSVN asked for is above the enclave's own",
  EGETKEY_INVALID_ATTRIBUTE: "EGETKEY: the enclave's attributes do not allow this key",
  EGETKEY_INVALID_KEYNAME: "EGETKEY: no such key name",
  EGETKEY_INVALID_REQUEST: "EGETKEY: reserved fields or policy bits of the key request are set",
  PCE_UNEXPECTED: "PCE 0xF001: unexpected error",
  PCE_INVALID_PARAMETER: "PCE 0xF002: a parameter has the wrong size or value",
  PCE_INVALID_REPORT: "PCE 0xF005: the report's MAC is not for this PCE on this CPU",
  PCE_CRYPTO_ERROR: "PCE 0xF006: the encryption key does not match the report data, or the crypto library failed",
  PCE_INVALID_PRIVILEGE: "PCE 0xF007: the enclave lacks the PROVISIONKEY attribute",
  PCE_INVALID_TCB: "PCE 0xF008: the TCB asked for is above the platform's own",
  QE_UNEXPECTED: "QE 0xD001: unexpected error",
  QE_INVALID_PARAMETER: "QE 0xD002: a parameter has the wrong size or value",
  QE_BLOB_ERROR: "QE 0xD004: the attestation key blob cannot be unsealed or is inconsistent",
  QE_CRYPTO_ERROR: "QE 0xD005: the crypto library failed",
  QE_KEY_GENERATION: "QE 0xD006: the attestation key could not be generated",
  QE_STATE: "QE 0xD007: the attestation key is not in the state this call needs",
  QE_INVALID_REPORT: "QE 0xD008: the report's MAC is not for this QE on this CPU",
  QE_REPORT_FAILED: "QE 0xD009: the QE's own report could not be made",
  PROVIDER_MODE_FIXED:
    "in-process or out-of-process quoting is chosen once per process, at first use; start another process for the other one",
  ISSUER_INVALID: "the provisioning authority answered with something that cannot be used; see the message",
  ISSUER_REFUSED: "the provisioning authority does not serve this request; see the message for what it would take",
  ISSUER_UNREACHABLE:
    "the provisioning service does not answer; check its address, that it runs, and the network; it is asked again by itself",
  ISSUER_UNREGISTERED:
    "the provisioning service does not know the platform and registering did not help; see the message",
  ISSUER_NO_CERTIFICATE: "the provisioning service has no certificate for the platform's TCB; see the message",
  ISSUER_EXPIRED:
    "the provisioning authority's own certificates have ended; check the clock, or start with a new state directory",
} as const;

export type QuotingErrorCode = keyof typeof QUOTING_ERRORS;

/** A failure of the platform itself: state, CPU, PCE, QE or issuer. Answers to AESM callers are QuotingError instead. */
export class PlatformError extends Error {
  readonly code: QuotingErrorCode;
  /** What the code means and what the operator can do: the code's line in {@link QUOTING_ERRORS}. */
  readonly nextStep: string;

  constructor(code: QuotingErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PlatformError";
    this.code = code;
    this.nextStep = QUOTING_ERRORS[code];
  }
}
