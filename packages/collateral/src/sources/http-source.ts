import { CollateralError } from "../errors.ts";
import { addressOfText, BODY_LIMITS, type HttpAnswer, type HttpClient, type HttpDeadlines } from "../http/index.ts";
import type { CollateralRequest } from "../request.ts";
import type { Fetched } from "../source.ts";
import { answerTo } from "./document-answer.ts";
import { type RefusalMeanings, refusal } from "./refusal.ts";
import { checkForm } from "./request-form.ts";
import { unusable } from "./unusable.ts";

/** Which requests a source is for: PCK certificates, what a verifier needs, or both. */
export type Serves = "pck" | "collateral" | "all";

/** What sources over HTTP have in common: the client, their name, and what a status means there. */
export interface HttpOrigin {
  readonly http: HttpClient;
  readonly name: string;
  readonly meanings: RefusalMeanings;
  readonly deadlines?: Partial<HttpDeadlines>;
}

export interface Asked {
  readonly url: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const LIMITS = {
  "pck-certificate": BODY_LIMITS.certificate,
  "pck-crl": BODY_LIMITS.crl,
  "root-ca-crl": BODY_LIMITS.crl,
  crl: BODY_LIMITS.crl,
  "tcb-info": BODY_LIMITS.json,
  identity: BODY_LIMITS.json,
} as const satisfies Record<CollateralRequest["kind"], number>;

/** "PCCS at https://host:8081/sgx/certification/v4/": the URL without user, password and query. */
export function sourceName(kind: string, baseUrl: string): string {
  return `${kind} at ${addressOfText(baseUrl)}`;
}

export function notFound(source: string, what: string): CollateralError {
  return new CollateralError("NOT_FOUND", `${source}: ${what}`, { source });
}

/**
 * Whether a source is meant for a request: NOT_FOUND if not, so that another one is asked; and whether the request has its
 * form (PARAMETER).
 */
export function checkRequest(serves: Serves, request: CollateralRequest, source: string): void {
  checkForm(request, source);
  const pck = request.kind === "pck-certificate";
  if (serves === "pck" && !pck) throw notFound(source, "is configured for PCK certificates only");
  if (serves === "collateral" && pck) throw notFound(source, "is configured for collateral only");
}

/** Asks, and turns everything but a 200 into its error. */
export async function askBytes(
  origin: HttpOrigin,
  asked: Asked,
  maxBytes: number,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { http, name, meanings, deadlines } = origin;
  const answer = await http.fetchBytes({
    source: name,
    maxBytes,
    signal,
    ...asked,
    ...(deadlines === undefined ? {} : { deadlines }),
  });
  if (answer.status !== 200) throw refusal(answer, name, meanings, http.clock);
  // A page with 200: a login of a network, a maintenance page of a proxy.
  if (/^\s*(text\/html|application\/xhtml)/i.test(answer.headers["content-type"] ?? "")) {
    throw unusable(name, "the answer", "is a web page");
  }
  return answer;
}

/** Asks for what a request is for. Fails as {@link HttpClient.fetchBytes}, `refusal` and `answerTo` do. */
export async function ask<R extends CollateralRequest>(
  origin: HttpOrigin,
  request: R,
  asked: Asked,
  signal: AbortSignal,
): Promise<Fetched<R>> {
  return answerTo(request, await askBytes(origin, asked, LIMITS[request.kind], signal), origin.name);
}
