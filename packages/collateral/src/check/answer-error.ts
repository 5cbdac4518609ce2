import { DocumentRefusal } from "@confcom/verify/documents";
import { CollateralError } from "../errors.ts";

/** ANSWER_UNTRUSTED: genuine or not, it is not what was asked for. */
export function wrongAnswer(detail: string): never {
  throw new CollateralError("ANSWER_UNTRUSTED", detail);
}

/** SOURCE_ANSWER: it cannot be read. */
export function unreadableAnswer(detail: string): never {
  throw new CollateralError("SOURCE_ANSWER", detail);
}

/** Runs a check of documents; its refusals become this package's errors, with their reason kept. */
export function checked<T>(what: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof DocumentRefusal)) throw error;
    const code = error.reason === "malformed" ? "SOURCE_ANSWER" : "ANSWER_UNTRUSTED";
    throw new CollateralError(code, `${what}: ${error.message}`, { cause: error });
  }
}
