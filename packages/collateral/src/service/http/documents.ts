import { type CollateralRequest, requestKey } from "../../request.ts";
import type { CollateralService, Served } from "../service.ts";
import type { Endpoint } from "./endpoints.ts";
import type { EndpointFigures } from "./figures.ts";
import { issuerChain } from "./issuer-chain.ts";
import { documentRequest } from "./parameters.ts";
import type { Query } from "./query.ts";
import { answerResponse, type PreparedResponse, type Representation } from "./response.ts";
import type { CacheEntry, ResponseCache } from "./response-cache.ts";

/** One document asked for: what it is, how it is written, under which name the response is kept. */
export interface DocumentRead {
  readonly request: CollateralRequest;
  readonly form: Representation;
  readonly representation: string;
}

/**
 * az-dcap-client names itself by `clientid` and reads JSON; Intel's client sends `api-version` to Azure too but never that
 * (spec: DCAP §13, §14). SVNs are bytes in little-endian order from both: the swap in Azure's source happens on no x86 (§16).
 */
export function documentRead(endpoint: Endpoint, query: Query, routed: DocumentRoute): DocumentRead {
  const { tee, version } = routed;
  const name = endpoint.name as Parameters<typeof documentRequest>[0];
  const request = documentRequest(name, query, tee, version);
  const form = formOf(name, query);
  const azure = form === "azure" || query.get("clientid") !== undefined;
  // A CRL's URL is in the text; it goes into log lines.
  const key = requestKey(request).replaceAll('"', "%22").replaceAll("\\", "%5C");
  return { request, form: { version, form, azure }, representation: `${key}#${form}${azure ? "+azure" : ""}` };
}

export type DocumentRoute = Pick<Representation, "version"> & { readonly tee: "sgx" | "tdx" };

function formOf(name: Parameters<typeof documentRequest>[0], query: Query): Representation["form"] {
  if (name === "pckcrl") {
    if (query.get("ca") === undefined && query.get("uri") !== undefined) return "azure";
    return query.get("encoding")?.toUpperCase() === "DER" ? "der" : "text";
  }
  return name === "pckcert" && query.get("clientid") !== undefined ? "azure" : "text";
}

/** Asks the service and keeps the response. Answers at once where the service does. `asking`: as the service takes it. */
export function readDocument(
  service: CollateralService,
  cache: ResponseCache,
  read: DocumentRead,
  url: string,
  path: string,
  figures: EndpointFigures,
  asking: () => void,
): PreparedResponse | Promise<PreparedResponse> {
  const entry = cache.begin(read.request, read.representation, path, figures);
  const keep = (served: Pick<Served, "answer" | "stale" | "until">, rootCrlChain?: string): PreparedResponse => {
    const { answer } = served;
    const response = answerResponse(answer, read.form, served.stale, rootCrlChain);
    cache.keep(
      entry,
      response,
      url,
      served.until,
      answer.kind === "pck-certificate" ? issuerChain(answer.issuerChain).pem : undefined,
    );
    return response;
  };
  try {
    if (read.request.kind === "root-ca-crl" && read.form.azure) return withRootChain(service, cache, entry, keep);
    const served = service.get(read.request, asking);
    if (!(served instanceof Promise)) return keep(served);
    return served.then(keep).catch((error: unknown) => {
      cache.abandon(entry);
      throw error;
    });
  } catch (error) {
    cache.abandon(entry);
    throw error;
  }
}

/** az-dcap-client wants a chain with the root's CRL too: the root itself, which ends the chain of a PCK CRL. */
async function withRootChain(
  service: CollateralService,
  cache: ResponseCache,
  entry: CacheEntry,
  keep: (served: Served, rootCrlChain?: string) => PreparedResponse,
): Promise<PreparedResponse> {
  try {
    const served = await service.get({ kind: "root-ca-crl" });
    const { answer } = await service.get({ kind: "pck-crl", ca: "platform" });
    const root = answer.issuerChain.lastIndexOf("-----BEGIN CERTIFICATE-----");
    return keep(served as Served, answer.issuerChain.slice(Math.max(root, 0)));
  } catch (error) {
    cache.abandon(entry);
    throw error;
  }
}
