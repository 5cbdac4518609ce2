import { CollateralError, type CollateralErrorCode, messageOf } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";

/** What a request is about, for people. */
export function requestWords(request: CollateralRequest): string {
  switch (request.kind) {
    case "pck-certificate":
      return `the PCK certificate of the platform with QE ID ${request.qeId}`;
    case "pck-crl":
      return `the PCK CRL of the ${request.ca} CA`;
    case "tcb-info":
      return `the ${request.tee.toUpperCase()} TCB info of FMSPC ${request.fmspc}`;
    case "identity":
      return `the enclave identity of ${request.id}`;
    case "root-ca-crl":
      return "the root CA's CRL";
    case "crl":
      return `the CRL ${request.url}`;
  }
}

/** Why a source gave nothing, as CollateralError whatever it was. */
export function asSourceFailure(error: unknown, source: string): CollateralError {
  if (error instanceof CollateralError) return error;
  const why = messageOf(error);
  return new CollateralError("SOURCE_ANSWER", `${source} failed: ${why}`, { cause: error, source });
}

/** The codes that tell most of what to do, first; others keep the order of the sources. */
const TELLING: readonly CollateralErrorCode[] = [
  "PLATFORM_UNKNOWN",
  "CERTIFICATES_UNAVAILABLE",
  "ANSWER_UNTRUSTED",
  "SOURCE_UNTRUSTED",
  "ANSWER_EXPIRED",
  "SOURCE_REFUSED",
];

/** One failure for all of them: its message names every source and why, its code and cause are those of the most telling. */
export function combinedFailure(
  request: CollateralRequest,
  failures: readonly { readonly source: string; readonly error: CollateralError }[],
  override?: CollateralErrorCode,
): CollateralError {
  const telling = TELLING.map((code) => failures.find(({ error }) => error.code === code)).find(Boolean);
  // "Not found" by one says less than that another could not be asked.
  const chosen = telling ?? failures.find(({ error }) => error.code !== "NOT_FOUND") ?? failures[0];
  const why = failures.map(({ source, error }) =>
    error.message.includes(source) ? error.message : `${source}: ${error.message}`,
  );
  const { status, retryAfterMs } = chosen?.error ?? {};
  return new CollateralError(
    override ?? chosen?.error.code ?? "NO_SOURCE",
    `${requestWords(request)} cannot be had: ${why.join("; ")}`,
    {
      ...(chosen === undefined ? {} : { cause: chosen.error, source: chosen.source }),
      ...(status === undefined ? {} : { status }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  );
}
