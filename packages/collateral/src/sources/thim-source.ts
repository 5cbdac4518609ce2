import type { HttpClient, HttpDeadlines } from "../http/index.ts";
import type { ApiVersion, CollateralRequest } from "../request.ts";
import type { CollateralSource } from "../source.ts";
import {
  AZURE_CLIENT_ID,
  type AzureQuery,
  type AzureVersion,
  azIdentityUrl,
  azPckCertificateUrl,
  azSgxCrlUrl,
  azTcbInfoUrl,
  azTdxDocumentBase,
  type SvnByteOrder,
} from "./az-dcap-url.ts";
import { LINK_LOCAL_DEADLINES } from "./azure-region.ts";
import { ask, checkRequest, notFound, type Serves, sourceName } from "./http-source.ts";
import { THIM_MEANINGS } from "./refusal.ts";

export interface ThimSourceOptions {
  readonly http: HttpClient;
  /** Without version, with or without "/" at the end: the agent of the machine, the region's or the global cache. */
  readonly baseUrl: string;
  readonly serves?: Serves;
  /** "v4" if left out. */
  readonly version?: AzureVersion;
  /** "production_client" if left out; empty: none is sent. */
  readonly clientId?: string;
  /**
   * The agent that answers on every machine's own link: asked with `metadata: true`, and for a second only, since on other
   * machines nobody is there. By default told by its path, /metadata/.
   */
  readonly agent?: boolean;
  /** False: the encrypted PPID is left out (AZDCAP_DISABLE_ONDEMAND). */
  readonly onDemand?: boolean;
  /** Base of the region's cache, for TDX; without it TCB info and identity of TDX are NOT_FOUND. */
  readonly tdxUrl?: string;
  /** "v4" if left out. */
  readonly tdxVersion?: AzureVersion;
  /** Base64, with TCB info and identities. */
  readonly customParameter?: string;
  /** How PCESVN and PCEID go out; "little" if left out, which is what the client sends on x86-64. */
  readonly byteOrder?: SvnByteOrder;
  readonly deadlines?: Partial<HttpDeadlines>;
}

function documentVersion(version: ApiVersion): AzureVersion {
  return version === 3 ? "v3" : "v4";
}

/** Azure's trusted hardware identity management, asked as az-dcap-client asks it. Agent and cache are a source each. */
export function thimSource(options: ThimSourceOptions): CollateralSource {
  const { http, baseUrl, serves = "all", version = "v4", onDemand = true, customParameter } = options;
  const agent = options.agent ?? baseUrl.includes("/metadata/");
  const clientId = options.clientId ?? AZURE_CLIENT_ID;
  const name = sourceName("THIM", baseUrl);
  const query: AzureQuery = { version, clientId };
  const origin = {
    http,
    name,
    meanings: THIM_MEANINGS,
    deadlines: { ...(agent ? LINK_LOCAL_DEADLINES : {}), ...options.deadlines },
  };

  /** Base and query of a document. Azure has no early TCB evaluations, and its client asks for none. */
  const place = (tee: "sgx" | "tdx", request: CollateralRequest & { readonly version: ApiVersion }) => {
    if ("update" in request && request.update === "early") throw notFound(name, "has no early TCB evaluation");
    if (tee === "sgx") return [baseUrl, { clientId, version: documentVersion(request.version) }] as const;
    if (options.tdxUrl === undefined) throw notFound(name, "no regional cache is configured, which TDX needs");
    return [azTdxDocumentBase(options.tdxUrl), { clientId, version: options.tdxVersion ?? "v4" }] as const;
  };
  const urlOf = (request: CollateralRequest): string => {
    switch (request.kind) {
      case "pck-certificate": {
        const { encryptedPpid, ...platform } = request;
        const asked = onDemand && encryptedPpid !== undefined ? { ...platform, encryptedPpid } : platform;
        return azPckCertificateUrl(baseUrl, query, asked, options.byteOrder);
      }
      case "pck-crl":
        return azSgxCrlUrl(baseUrl, query, request.ca);
      case "root-ca-crl":
        return azSgxCrlUrl(baseUrl, query, "root");
      case "tcb-info": {
        const [base, asked] = place(request.tee, request);
        return azTcbInfoUrl(base, asked, request.fmspc, customParameter);
      }
      case "identity": {
        const [base, asked] = place(request.id === "TD_QE" ? "tdx" : "sgx", request);
        return azIdentityUrl(base, asked, request.id === "QVE" ? "qve" : "qe", customParameter);
      }
      case "crl":
        throw notFound(name, "has no CRLs by distribution point");
    }
  };

  return {
    kind: "thim",
    name,
    async fetch(request, { signal }) {
      checkRequest(serves, request, name);
      const headers = agent ? { metadata: "true" } : { "content-type": "application/json" };
      return ask(origin, request, { url: urlOf(request), headers }, signal);
    },
  };
}
