export interface WriteFailure extends Error {
  readonly code: string;
}

/** Whether standard output or standard error could not be written: full, or whoever read it has gone away (`EPIPE`). */
export function isWriteFailure(error: unknown): error is WriteFailure {
  return error instanceof Error && "code" in error && "syscall" in error && error.syscall === "write";
}
