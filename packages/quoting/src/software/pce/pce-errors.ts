import type { QuotingErrorCode } from "../../errors.ts";

/** sgx_pce_error_t (spec: DCAP §6): the number behind each PCE_* code. 0xF003 and 0xF004 are about EPC and loading. */
export const PCE_ERROR_NUMBERS = {
  PCE_UNEXPECTED: 0xf001,
  PCE_INVALID_PARAMETER: 0xf002,
  PCE_INVALID_REPORT: 0xf005,
  PCE_CRYPTO_ERROR: 0xf006,
  PCE_INVALID_PRIVILEGE: 0xf007,
  PCE_INVALID_TCB: 0xf008,
} as const satisfies Partial<Record<QuotingErrorCode, number>>;

export type PceErrorCode = keyof typeof PCE_ERROR_NUMBERS;
