import { AZURE_CLIENT_ID, type AzureVersion } from "../sources/az-dcap-url.ts";

/** How az-dcap-client reads its environment (spec: DCAP §14). */

export const AZDCAP_DEFAULTS = {
  collateralUrl: "https://global.acccache.azure.net/sgx/certification",
  tdxSuffix: ".thim.azure.net/sgx/certification",
  primaryUrl: "http://169.254.169.254/metadata/THIM/sgx/certification",
  clientId: AZURE_CLIENT_ID,
} as const;

/** Every AZDCAP variable; undefined where it is not set or cannot be used. */
export interface AzdcapVariables {
  readonly AZDCAP_BASE_CERT_URL?: string;
  /** Host suffix and path that follow the region, with its dot. */
  readonly AZDCAP_BASE_CERT_URL_TDX?: string;
  readonly AZDCAP_REGION_URL?: string;
  /** True: the instance's own agent is not asked. */
  readonly AZDCAP_BYPASS_BASE_URL?: boolean;
  readonly AZDCAP_PRIMARY_BASE_CERT_URL?: string;
  readonly AZDCAP_SECONDARY_BASE_CERT_URL?: string;
  readonly AZDCAP_CLIENT_ID?: string;
  readonly AZDCAP_COLLATERAL_VERSION?: AzureVersion;
  readonly AZDCAP_COLLATERAL_VERSION_TDX?: AzureVersion;
  readonly AZDCAP_DEBUG_LOG_LEVEL?: "INFO" | "WARNING" | "ERROR";
  /** True: the encrypted PPID is left out of requests. */
  readonly AZDCAP_DISABLE_ONDEMAND?: boolean;
  /** 0 to 86400: the longest that anything is taken from the cache. */
  readonly AZDCAP_CACHE_EXPIRY_IN_SECONDS?: number;
  readonly AZDCAP_WRITE_LOGS_TO_FILE?: string;
  readonly AZDCAP_CACHE?: string;
}

type Name = keyof AzdcapVariables;

const url = (value: string) =>
  value.length <= 2048 && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
    ? value.replace(/\/+$/, "")
    : undefined;
const label = (value: string) => (/^[A-Za-z0-9-]{1,63}$/.test(value) ? value.toLowerCase() : undefined);
const version = (value: string) => (/^v[234]$/.test(value) ? (value as AzureVersion) : undefined);

const READERS: Readonly<{ [N in Name]-?: readonly [read: (value: string) => AzdcapVariables[N], wanted: string] }> = {
  AZDCAP_BASE_CERT_URL: [url, "an http or https URL"],
  AZDCAP_BASE_CERT_URL_TDX: [
    (value) => (/^\.[A-Za-z0-9.-]+(:\d+)?(\/[^\s?#]*)?$/.test(value) ? value.replace(/\/+$/, "") : undefined),
    "a host suffix and path, such as .thim.azure.net/sgx/certification",
  ],
  AZDCAP_REGION_URL: [label, "the name of a region"],
  AZDCAP_BYPASS_BASE_URL: [(value) => value.toLowerCase() === "true", "true"],
  AZDCAP_PRIMARY_BASE_CERT_URL: [url, "an http or https URL"],
  AZDCAP_SECONDARY_BASE_CERT_URL: [url, "an http or https URL"],
  AZDCAP_CLIENT_ID: [(value) => (/^[\x21-\x7e]{1,256}$/.test(value) ? value : undefined), "printable characters"],
  AZDCAP_COLLATERAL_VERSION: [version, "v2, v3 or v4"],
  AZDCAP_COLLATERAL_VERSION_TDX: [version, "v2, v3 or v4"],
  AZDCAP_DEBUG_LOG_LEVEL: [
    (value) => (value === "INFO" || value === "WARNING" || value === "ERROR" ? value : undefined),
    "INFO, WARNING or ERROR",
  ],
  AZDCAP_DISABLE_ONDEMAND: [(value) => value === "1", "1"],
  AZDCAP_CACHE_EXPIRY_IN_SECONDS: [
    (value) => (/^\d{1,5}$/.test(value) && Number(value) <= 86400 ? Number(value) : undefined),
    "0 to 86400",
  ],
  AZDCAP_WRITE_LOGS_TO_FILE: [(value) => value, "a path"],
  AZDCAP_CACHE: [(value) => (value.startsWith("/") ? value : undefined), "an absolute path"],
};

/** Those that make somebody ask Azure; the rest (logs, cache) says nothing about where to ask. */
const SOURCE_VARIABLES: readonly Name[] = [
  "AZDCAP_BASE_CERT_URL",
  "AZDCAP_BASE_CERT_URL_TDX",
  "AZDCAP_REGION_URL",
  "AZDCAP_BYPASS_BASE_URL",
  "AZDCAP_PRIMARY_BASE_CERT_URL",
  "AZDCAP_SECONDARY_BASE_CERT_URL",
  "AZDCAP_CLIENT_ID",
  "AZDCAP_COLLATERAL_VERSION",
  "AZDCAP_COLLATERAL_VERSION_TDX",
  "AZDCAP_DISABLE_ONDEMAND",
];

/** Reads them all. One that cannot be used is left out and `warn` hears why; an empty one counts as not set. */
export function readAzdcapVariables(
  env: Readonly<Record<string, string | undefined>>,
  warn: (text: string) => void,
): AzdcapVariables {
  const found: Record<string, unknown> = {};
  for (const [name, [read, wanted]] of Object.entries(READERS)) {
    const given = env[name];
    if (given === undefined || given === "") continue;
    const value = read(given);
    if (value === undefined) warn(`the variable ${name} is not ${wanted}: ignored`);
    else found[name] = value;
  }
  return found;
}

/** The variable that says that Azure is to be asked, undefined if none does. */
export function azureSelectedBy(variables: AzdcapVariables): string | undefined {
  return SOURCE_VARIABLES.find((name) => variables[name] !== undefined);
}
