import type { HttpClient, HttpDeadlines } from "../http/index.ts";
import type { CollateralRequest } from "../request.ts";
import type { CollateralSource } from "../source.ts";
import { ask, checkRequest, notFound, type Serves, sourceName } from "./http-source.ts";
import { serviceBase } from "./pcs-url.ts";
import {
  type PccsApiVersion,
  type QueryParameters,
  qcnlCrlUrl,
  qcnlIdentityUrl,
  qcnlPckCertificateUrl,
  qcnlPckCrlUrl,
  qcnlRootCaCrlUrl,
  qcnlTcbInfoUrl,
  qcnlTeeBase,
} from "./qcnl-url.ts";
import { PCCS_MEANINGS } from "./refusal.ts";

export interface PccsSourceOptions {
  readonly http: HttpClient;
  /** Ends in "/", e.g. https://localhost:8081/sgx/certification/v4/ (QCNL's pccs_url and collateral_service). */
  readonly baseUrl: string;
  readonly serves?: Serves;
  /** QCNL's pccs_api_version: "3.0" asks for hexadecimal CRLs, "3.1" for DER. "3.0" if left out, as there. */
  readonly apiVersion?: PccsApiVersion;
  /** `custom_request_options.get_cert`: with requests for PCK certificates, and no other. */
  readonly custom?: { readonly headers?: Readonly<Record<string, string>>; readonly params?: QueryParameters };
  /** Base64; with everything but PCK certificates, as QCNL's caller passes it. */
  readonly customParameter?: string;
  readonly deadlines?: Partial<HttpDeadlines>;
}

/**
 * Any PCCS, asked as Intel's provider asks it. One PCCS can stand behind another as a source of documents and of single
 * certificates, but it is no CollateralUpstream: it never hands out all certificates of a platform, nor takes manifests
 * without its own user token.
 */
export function pccsSource(options: PccsSourceOptions): CollateralSource {
  const { http, baseUrl, serves = "all", apiVersion = "3.0", custom = {}, customParameter } = options;
  const name = sourceName("PCCS", baseUrl);
  const origin = {
    http,
    name,
    meanings: PCCS_MEANINGS,
    ...(options.deadlines === undefined ? {} : { deadlines: options.deadlines }),
  };

  /** QCNL's own way for TDX, and the request's version where the path names one. */
  const base = (tee: "sgx" | "tdx", version: 3 | 4): string => {
    if (tee === "tdx" && version === 3) throw notFound(name, "version 3 of the API has no TDX");
    const at = serviceBase(baseUrl, tee, version) ?? qcnlTeeBase(baseUrl, tee);
    if (at === undefined) throw notFound(name, "the base URL has no /sgx/ to put /tdx/ in");
    return at;
  };
  const urlOf = (request: CollateralRequest): string => {
    switch (request.kind) {
      case "pck-certificate":
        return qcnlPckCertificateUrl(baseUrl, request, { parameters: custom.params ?? {} });
      case "pck-crl":
        return qcnlPckCrlUrl(baseUrl, request.ca, apiVersion === "3.1", customParameter);
      case "tcb-info":
        return qcnlTcbInfoUrl(base(request.tee, request.version), request.fmspc, request.update, customParameter);
      case "identity": {
        const at = base(request.id === "TD_QE" ? "tdx" : "sgx", request.version);
        return qcnlIdentityUrl(at, request.id === "QVE" ? "qve" : "qe", request.update, customParameter);
      }
      case "root-ca-crl":
        // Without a distribution point there is only the old way, which every version has.
        return apiVersion === "3.1" && request.url !== undefined
          ? qcnlCrlUrl(baseUrl, request.url, customParameter)
          : qcnlRootCaCrlUrl(baseUrl, customParameter);
      case "crl":
        return qcnlCrlUrl(baseUrl, request.url, customParameter);
    }
  };

  return {
    kind: "pccs",
    name,
    async fetch(request, { signal }) {
      checkRequest(serves, request, name);
      const headers = request.kind === "pck-certificate" ? custom.headers : undefined;
      return ask(origin, request, { url: urlOf(request), ...(headers === undefined ? {} : { headers }) }, signal);
    },
  };
}
