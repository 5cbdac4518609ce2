import type { Clock } from "../clock.ts";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import { type HttpAnswer, retryAfterMs } from "../http/index.ts";

interface Meaning {
  readonly code: CollateralErrorCode;
  readonly words: string;
}

export type RefusalMeanings = Readonly<Record<number, Meaning>>;

/** What any HTTP service means, unless its own table says otherwise. */
const COMMON: RefusalMeanings = {
  400: { code: "SOURCE_REFUSED", words: "it does not take the parameters" },
  401: { code: "SOURCE_REFUSED", words: "it wants a key or token that it accepts" },
  403: { code: "SOURCE_REFUSED", words: "it does not allow this" },
  404: { code: "NOT_FOUND", words: "it has no such collateral" },
  429: { code: "SOURCE_BUSY", words: "too many requests" },
  503: { code: "SOURCE_BUSY", words: "it cannot serve now" },
};

/** Intel's provisioning service. */
export const PCS_MEANINGS: RefusalMeanings = {
  401: { code: "SOURCE_REFUSED", words: "the API key is missing or not accepted" },
  404: { code: "NOT_FOUND", words: "it has no such collateral, or does not know the platform" },
  410: { code: "NOT_FOUND", words: "this TCB evaluation is retired" },
};

/** A PCCS (spec: DCAP §12). */
export const PCCS_MEANINGS: RefusalMeanings = {
  404: { code: "NOT_FOUND", words: "no cache data" },
  460: { code: "SOURCE_ANSWER", words: "it cannot verify what it holds" },
  461: {
    code: "PLATFORM_UNKNOWN",
    words: "platform unknown; register it with the PCK ID retrieval tool or POST /platforms",
  },
  462: { code: "CERTIFICATES_UNAVAILABLE", words: "no certificate for this TCB; update the platform's BIOS" },
  502: { code: "SOURCE_ANSWER", words: "it cannot get the collateral from Intel's PCS" },
};

export const THIM_MEANINGS: RefusalMeanings = {
  404: { code: "NOT_FOUND", words: "no such collateral, or not a machine that it knows" },
};

/** What a service says of itself, cut to what may stand in a log line. */
function said(answer: HttpAnswer, name: string, limit: number): string | undefined {
  const text = answer.headers[name]
    ?.replace(/[^\x20-\x7e]/g, "?")
    .slice(0, limit)
    .trim();
  return text === "" ? undefined : text;
}

/** The error for an answer that is not 200: its status, what it means there, and what to tell that service's operator. */
export function refusal(answer: HttpAnswer, source: string, meanings: RefusalMeanings, clock: Clock): CollateralError {
  const { status } = answer;
  const meaning = meanings[status] ??
    COMMON[status] ?? { code: "SOURCE_ANSWER", words: status >= 500 ? "an error of its own" : "an unexpected status" };
  // PCS version 4 explains itself in these; Request-ID is what its support asks for.
  const details = [
    said(answer, "error-code", 64),
    said(answer, "error-message", 200),
    ...(answer.headers["request-id"] === undefined ? [] : [`Request-ID ${said(answer, "request-id", 64)}`]),
  ].filter((detail) => detail !== undefined);
  const more = details.length === 0 ? "" : ` (${details.join(", ")})`;
  const wait = retryAfterMs(answer.headers["retry-after"], clock.now());
  return new CollateralError(meaning.code, `${source} answered ${status}: ${meaning.words}${more}`, {
    source,
    status,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}
