import { CollateralError } from "../errors.ts";

/**
 * Whether a failure may be gone the next time: `yes` for a source that is away, slow or busy; `once` for an internal error
 * (5xx); `no` for everything that the same request would only get again: 400, 401, 404, 461, 462, what cannot be read, and
 * a TLS certificate that is not trusted.
 */
export function mayHeal(error: unknown): "yes" | "once" | "no" {
  if (!(error instanceof CollateralError)) return "no";
  switch (error.code) {
    case "SOURCE_UNREACHABLE":
    case "SOURCE_TIMEOUT":
    case "SOURCE_BUSY":
      return "yes";
    case "SOURCE_ANSWER":
      return (error.status ?? 0) >= 500 ? "once" : "no";
    default:
      return "no";
  }
}
