/** Every way bytes can fail to be DER. The keys are stable; callers may match on them. */
export const DER_ERRORS = {
  DER_TRUNCATED: "An element ends outside its container. The data is cut or a length is wrong.",
  DER_LENGTH: "A length is not in its shortest definite form. Only DER is read, not BER.",
  DER_TAG: "An element has another tag than its place asks for. The data is not the expected structure.",
  DER_TRAILING: "Bytes follow the last expected element of a container.",
  DER_DEPTH: "Elements are nested deeper than any known structure.",
  DER_BUDGET: "There are more elements than the structure may have.",
  DER_BOOLEAN: "A BOOLEAN is not one byte of 00 or FF.",
  DER_INTEGER: "An INTEGER is empty, not in its shortest form, or too large for its field.",
  DER_NULL: "A NULL has content.",
  DER_OID: "An object identifier is malformed.",
  DER_BIT_STRING: "A BIT STRING is not a whole number of bytes.",
  DER_TIME: "A time is not a real date in the one form that DER allows.",
} as const;

export type DerErrorCode = keyof typeof DER_ERRORS;

/** Bytes that are not the DER structure asked for, with a stable `code` and the offset of the offending element. */
export class DerError extends Error {
  readonly code: DerErrorCode;
  /** Offset in the reader's buffer. */
  readonly offset: number;

  constructor(code: DerErrorCode, offset: number, detail: string) {
    super(`${detail} (offset ${offset})`);
    this.name = "DerError";
    this.code = code;
    this.offset = offset;
  }
}
