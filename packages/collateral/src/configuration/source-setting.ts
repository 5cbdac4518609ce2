import { CollateralError } from "../errors.ts";
import type { AzureVersion } from "../sources/az-dcap-url.ts";
import type { CustomRequestOptions } from "./qcnl-conf.ts";

/** One place to ask, and for what. */
export interface SourceSetting {
  readonly kind: "pcs" | "pccs" | "thim" | "directory" | "qcnl-files";
  /** Base URL ending in "/" (THIM: without version), or the path of a directory or file; of QCNL's files, their directory. */
  readonly place: string;
  /** PCK certificates, everything a verifier needs, or both. */
  readonly serves: "pck" | "collateral" | "all";
  /** False: the TLS certificate is not looked at. */
  readonly secure: boolean;
  /** For PCK certificates only. */
  readonly custom?: CustomRequestOptions;
  /** False: answers are not cached (QCNL's local_pck_url). */
  readonly cached: boolean;
  /** THIM only. */
  readonly azure?: AzureSetting;
}

export interface AzureSetting {
  readonly clientId: string;
  readonly version: AzureVersion;
  readonly tdxVersion: AzureVersion;
  /** Base URL of the region's cache for TDX; undefined where the region is not named: the instance knows it. */
  readonly tdxUrl?: string;
  /** Host suffix and path that follow the region, with its dot. */
  readonly tdxSuffix: string;
  /** False: the encrypted PPID is left out. */
  readonly onDemand: boolean;
}

export const INTEL_PCS_URL = "https://api.trustedservices.intel.com/sgx/certification/v4/";
const INTEL_HOST = "api.trustedservices.intel.com";
const KINDS = ["pcs", "pccs", "thim"] as const;

/**
 * Reads a source as people write it: a path, or a URL whose kind shows in it (Intel's host: PCS; Azure's hosts and
 * /metadata/THIM/: THIM; anything else: PCCS), or is said: `pcs+http://127.0.0.1:8080/`. A PCS or PCCS without a path is asked at
 * /sgx/certification/v4/. Throws CollateralError CONFIGURATION.
 */
export function parseSource(given: string, option: string): Pick<SourceSetting, "kind" | "place"> {
  const said = /^(pcs|pccs|thim)\+(.*)$/.exec(given);
  const place = said?.[2] ?? given;
  if (said === null && !/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) {
    if (given === "" || given.includes("\0")) throw new CollateralError("CONFIGURATION", `${option} names no source`);
    return { kind: "directory", place: given };
  }
  const url = URL.canParse(place) ? new URL(place) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CollateralError(
      "CONFIGURATION",
      `${option} takes a path or an http(s) URL, got "${hideUserInfo(given)}"`,
    );
  }
  if (url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw new CollateralError(
      "CONFIGURATION",
      `${option}: a base URL has no user, query or fragment: "${hideUserInfo(given)}"; tokens come from files`,
    );
  }
  const kind = KINDS.find((name) => name === said?.[1]) ?? kindOf(url);
  // As a PCCS's ready line and `quote-helper --pccs` name it; nobody serves the API at the root.
  if (url.pathname === "/" && kind !== "thim") return { kind, place: `${url.origin}/sgx/certification/v4/` };
  return { kind, place: place.endsWith("/") ? place : `${place}/` };
}

export function kindOf(url: URL): "pcs" | "pccs" | "thim" {
  if (url.hostname === INTEL_HOST) return "pcs";
  const azure = /(^|\.)(thim|acccache)\.azure\.net$/.test(url.hostname) || url.pathname.includes("/metadata/THIM/");
  return azure ? "thim" : "pccs";
}

/** What a URL says before its host may be a password. */
export function hideUserInfo(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//***@").replace(/\?.*$/s, "?***");
}
