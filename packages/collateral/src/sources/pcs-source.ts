import { CollateralError } from "../errors.ts";
import { BODY_LIMITS, type HttpClient, type HttpDeadlines } from "../http/index.ts";
import type { ApiVersion, CollateralRequest, PckCertificateRequest } from "../request.ts";
import type { CollateralUpstream } from "../source.ts";
import { allowedCrlUrl, INTEL_CRL_ORIGINS } from "./crl-address.ts";
import { type Asked, ask, askBytes, checkRequest, notFound, type Serves, sourceName } from "./http-source.ts";
import { pckCertificatesAnswer } from "./pck-certificates-answer.ts";
import {
  INTEL_ROOT_CA_CRL_URL,
  pcsIdentityUrl,
  pcsPckCertificatesUrl,
  pcsPckCertificateUrl,
  pcsPckCrlUrl,
  pcsTcbInfoUrl,
  serviceBase,
} from "./pcs-url.ts";
import { PCS_MEANINGS } from "./refusal.ts";
import { checkDigits } from "./request-form.ts";

export interface PcsSourceOptions {
  readonly http: HttpClient;
  /** Ends in "/", e.g. https://api.trustedservices.intel.com/sgx/certification/v4/. */
  readonly baseUrl: string;
  /** Asked before every request that needs one, so that a new key is used at once. Sent to the base URL's host only. */
  readonly apiKey?: () => string | undefined;
  /** The version to ask for CRLs and PCK certificates; by default the base URL's, or 4. */
  readonly version?: ApiVersion;
  readonly serves?: Serves;
  /** Where the root CA's CRL is when no certificate says it; Intel's if left out. */
  readonly rootCaCrlUrl?: string;
  /** Origins that CRLs may be fetched from besides the base URL's own; Intel's if left out. */
  readonly crlOrigins?: readonly string[];
  readonly deadlines?: Partial<HttpDeadlines>;
}

const KEY_HEADER = "ocp-apim-subscription-key";

/** Nobody's PPID: services take it for "not known". */
function known(encryptedPpid: string | undefined): encryptedPpid is string {
  return encryptedPpid !== undefined && !/^0*$/.test(encryptedPpid);
}

/**
 * Intel's provisioning service, or one that answers like it. Whatever a request's version and TEE, the base URL's path is
 * changed to it. A PCK certificate can only be had by encrypted PPID: without one NOT_FOUND, and whoever holds a platform
 * manifest asks {@link CollateralUpstream.pckCertificates}.
 */
export function pcsSource(options: PcsSourceOptions): CollateralUpstream {
  const { http, baseUrl, serves = "all" } = options;
  const version = options.version ?? (/\/v3\/$/.test(baseUrl) ? 3 : 4);
  const name = sourceName("PCS", baseUrl);
  const origin = {
    http,
    name,
    meanings: PCS_MEANINGS,
    ...(options.deadlines === undefined ? {} : { deadlines: options.deadlines }),
  };
  const crlOrigins = [...(options.crlOrigins ?? INTEL_CRL_ORIGINS), new URL(baseUrl).origin];

  const base = (tee: "sgx" | "tdx", of: ApiVersion): string => {
    if (tee === "tdx" && of === 3) throw notFound(name, "version 3 of the API has no TDX");
    return serviceBase(baseUrl, tee, of) ?? fail("the base URL has no /sgx/certification/v4/ to put /tdx/ in");
  };
  const fail = (what: string): never => {
    throw notFound(name, what);
  };
  const withKey = (asked: Asked): Asked => {
    const key = options.apiKey?.()?.trim();
    if (key !== undefined && !/^[\x20-\x7e]{0,512}$/.test(key)) {
      // Not the client's fault, and nothing of the key belongs in a message.
      throw new CollateralError("CONFIGURATION", `${name}: the API key is not one line of printable ASCII`, {
        source: name,
      });
    }
    return key === undefined || key === "" ? asked : { ...asked, headers: { ...asked.headers, [KEY_HEADER]: key } };
  };
  const certificate = (request: PckCertificateRequest): Asked => {
    if (!known(request.encryptedPpid)) {
      throw notFound(name, "cannot tell the platform: there is no encrypted PPID in the request");
    }
    return withKey({ url: pcsPckCertificateUrl(base("sgx", version), request) });
  };
  const asked = (request: CollateralRequest): Asked => {
    switch (request.kind) {
      case "pck-certificate":
        return certificate(request);
      case "pck-crl":
        return { url: pcsPckCrlUrl(base("sgx", version), request.ca) };
      case "tcb-info":
        return { url: pcsTcbInfoUrl(base(request.tee, request.version), request.fmspc, request.update) };
      case "identity": {
        const tee = request.id === "TD_QE" ? "tdx" : "sgx";
        const enclave = request.id === "QVE" ? "qve" : "qe";
        return { url: pcsIdentityUrl(base(tee, request.version), enclave, request.update) };
      }
      case "root-ca-crl":
        return { url: rootCaCrl(request.url) };
      case "crl":
        return { url: allowedCrlUrl(request.url, crlOrigins, name) };
    }
  };
  const rootCaCrl = (url: string | undefined): string => {
    const configured = options.rootCaCrlUrl ?? INTEL_ROOT_CA_CRL_URL;
    return url === undefined || url === configured ? configured : allowedCrlUrl(url, crlOrigins, name);
  };

  return {
    kind: "pcs",
    name,
    async fetch(request, { signal }) {
      checkRequest(serves, request, name);
      return ask(origin, request, asked(request), signal);
    },
    async pckCertificates(platform, pceId, { signal }) {
      checkDigits("pceId", pceId, 4, name);
      const at = base("sgx", version);
      let toAsk: Asked;
      if ("encryptedPpid" in platform) {
        if (!known(platform.encryptedPpid)) throw notFound(name, "cannot tell the platform by an empty PPID");
        checkDigits("encryptedPpid", platform.encryptedPpid, 768, name);
        toAsk = { url: pcsPckCertificatesUrl(at, platform.encryptedPpid, pceId) };
      } else {
        if (platform.platformManifest === "") {
          throw new CollateralError("PARAMETER", `${name}: the platform manifest is empty`, { source: name });
        }
        toAsk = {
          url: pcsPckCertificatesUrl(at),
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ platformManifest: platform.platformManifest, pceid: pceId }),
        };
      }
      const answer = await askBytes(origin, withKey(toAsk), BODY_LIMITS.certificates, signal);
      return pckCertificatesAnswer(answer, name);
    },
  };
}
