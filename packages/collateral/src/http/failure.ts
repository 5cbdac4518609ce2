import { CollateralError, type CollateralErrorCode } from "../errors.ts";

/** Where an exchange was when it failed. */
export type HttpPhase = "connecting" | "waiting for the answer" | "reading the answer";

/** What Node and OpenSSL call a certificate that is not trusted, or not for the host. */
const UNTRUSTED = new Set([
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_TLS_CERT_ALTNAME_FORMAT",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_REJECTED",
  "CERT_UNTRUSTED",
  "CERT_CHAIN_TOO_LONG",
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
]);

const PLAIN_WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "name resolution failed",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ERR_PROXY_TUNNEL: "the proxy does not connect to it",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no network to it",
};

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

function classify(code: string): CollateralErrorCode {
  if (UNTRUSTED.has(code)) return "SOURCE_UNTRUSTED";
  if (code === "ETIMEDOUT" || code === "ESOCKETTIMEDOUT") return "SOURCE_TIMEOUT";
  // The parser's codes: what came is no HTTP, or more of it than is read.
  if (code.startsWith("HPE_")) return "SOURCE_ANSWER";
  return "SOURCE_UNREACHABLE";
}

function words(error: unknown, code: string, phase: HttpPhase): string {
  if (code === "HPE_HEADER_OVERFLOW") return "its headers are larger than any answer needs";
  if (code.startsWith("HPE_")) return `its answer is not HTTP (${code})`;
  if (phase === "reading the answer" && classify(code) === "SOURCE_UNREACHABLE") {
    return "the connection ended in the middle of the answer";
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    const reason = (error as { readonly reason?: unknown }).reason;
    return `the TLS handshake failed${typeof reason === "string" ? ` (${reason})` : ""}`;
  }
  // Node's advice after the first words is about Node's own options.
  const message = error instanceof Error ? error.message.replace(/; if the root CA .*$/s, "") : "unknown failure";
  return PLAIN_WORDS[code] ?? (code === "" || message.includes(code) ? message : `${message} (${code})`);
}

/** What a failed exchange is called. `address` is the URL without its query. */
export function httpFailure(error: unknown, phase: HttpPhase, address: string, source: string): CollateralError {
  if (error instanceof CollateralError) return error;
  const code = codeOf(error);
  return new CollateralError(classify(code), `${source}, ${phase} (${address}): ${words(error, code, phase)}`, {
    cause: error,
    source,
  });
}
