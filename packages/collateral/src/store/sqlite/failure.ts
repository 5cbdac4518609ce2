import { CollateralError, type CollateralErrorCode, messageOf } from "../../errors.ts";

/** What SQLite, or the file system around it, failed with, as this package says it. `path`: which database. */
export function storeFailure(error: unknown, path: string): CollateralError {
  if (error instanceof CollateralError) return error;
  const message = messageOf(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return new CollateralError(storeCode(code), `${path}: ${message}${code === "" ? "" : ` (${code})`}`, {
    cause: error,
  });
}

function storeCode(sqlite: string): CollateralErrorCode {
  if (sqlite === "SQLITE_NOTADB" || sqlite.startsWith("SQLITE_CORRUPT")) return "STORE_DAMAGED";
  if (sqlite.startsWith("SQLITE_BUSY") || sqlite.startsWith("SQLITE_LOCKED")) return "STORE_BUSY";
  if (sqlite === "SQLITE_FULL" || sqlite === "ENOSPC" || sqlite === "EDQUOT") return "STORE_FULL";
  // A file that is shorter than its header says.
  if (sqlite === "SQLITE_IOERR_SHORT_READ") return "STORE_DAMAGED";
  return "STORE_IO";
}

/** An error as it crosses from the worker: structured cloning keeps neither class nor code. */
export interface PortableFailure {
  readonly code: CollateralErrorCode;
  readonly message: string;
}

export function portable(error: CollateralError): PortableFailure {
  return { code: error.code, message: error.message };
}

export function fromPortable({ code, message }: PortableFailure): CollateralError {
  return new CollateralError(code, message);
}
