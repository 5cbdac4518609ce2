/** Every way a byte layout can be refused. The keys are stable; callers may match on them. */
export const SGX_FORMAT_ERRORS = {
  SGX_HEX: "Text is not hexadecimal of the expected length. Pass an even number of hex digits.",
  SGX_SIZE: "A fixed-size structure has another size. Pass exactly the bytes of that structure.",
  SGX_VALUE: "A field's value does not fit its width. Pass a value within the documented range.",
  QUOTE_TRUNCATED: "The quote ends before a length it declares. Fetch the whole quote again.",
  QUOTE_VERSION: "The quote's version is not 3, 4 or 5. Only ECDSA quotes can be decoded.",
  QUOTE_TYPE:
    "The quote's key type, TEE type or body type is unknown. Only ECDSA-P256 quotes of SGX and TDX can be decoded.",
  QUOTE_LAYOUT:
    "Lengths inside the quote contradict each other. The quote is damaged or was not made by a quoting enclave.",
  KEY_ID_LIST:
    "An attestation key id list is malformed. It is id 0, version 0, a count of 1 to 10, and 256 bytes for each.",
  PCK_EXTENSION: "The SGX extension of a PCK certificate is malformed. The certificate was not issued for SGX.",
} as const;

export type SgxFormatErrorCode = keyof typeof SGX_FORMAT_ERRORS;

/** A structure that cannot be read or written, with a stable `code`. */
export class SgxFormatError extends Error {
  readonly code: SgxFormatErrorCode;

  constructor(code: SgxFormatErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = "SgxFormatError";
    this.code = code;
  }
}
