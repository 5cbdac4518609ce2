import { Rejection } from "../status.ts";

/** The document is not in the form of a TCB info. */
export function formatError(detail: string): never {
  throw new Rejection("STATUS_SGX_TCB_INFO_UNSUPPORTED_FORMAT", `TCB info: ${detail}`);
}

/** The form is known, but a value in it is impossible. */
export function valueError(detail: string): never {
  throw new Rejection("STATUS_SGX_TCB_INFO_INVALID", `TCB info: ${detail}`);
}
