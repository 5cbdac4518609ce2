import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Clock,
  CollateralError,
  type CollateralSource,
  type CollateralUpstream,
  httpClient,
  INTEL_CRL_ORIGINS,
  pccsSource,
  pcsSource,
  rootDistributionPoint,
  withBreaker,
  withRetry,
} from "@confcom/collateral";
import { REVOCATION_FILE } from "@confcom/quoting/provisioning";
import { trustedRootFromCertificate } from "@confcom/verify";
import type { Logger } from "pino";
import { usage } from "../usage-error.ts";
import { followedApiKey } from "./api-key-file.ts";
import { optionFile } from "./option-file.ts";
import { trustedRoots } from "./store-commands/trusted-roots.ts";

const INTEL_URL = "https://api.trustedservices.intel.com/sgx/certification/v4/";

export interface UpstreamOptions {
  /** `intel`, `software` or the base URL of a service that answers as Intel's does; undefined in OFFLINE. */
  readonly upstream: string | undefined;
  readonly upstreamRoot: readonly string[] | undefined;
  readonly upstreamCa: string | undefined;
  readonly apiKeyFile: string | undefined;
  readonly stateDirectory: string;
  /** More of them, as the service wants them. */
  readonly crlHosts?: readonly string[];
}

export interface OpenUpstream {
  readonly source: CollateralUpstream | undefined;
  readonly trustedRoots: readonly Uint8Array[];
  /** Where CRLs may be fetched from, as the service wants them. */
  readonly crlHosts: readonly string[];
  /** Of the software platform: what helpers and verifiers are told to trust, PEM. */
  readonly rootCertificate?: string;
  /** Of the software platform: the file that is another one once a certificate was revoked. */
  readonly revocationFile?: string;
  close(): void | Promise<void>;
}

/** Opens where the service's collateral comes from. */
export async function openUpstream(options: UpstreamOptions, clock: Clock, log: Logger): Promise<OpenUpstream> {
  const { upstream, upstreamRoot } = options;
  if (upstream === undefined) {
    return {
      source: undefined,
      trustedRoots: trustedRoots("--upstream-root", upstreamRoot),
      crlHosts: [],
      close: () => {},
    };
  }
  if (upstream === "software") return openSoftware(options, log);
  const baseUrl = upstream === "intel" ? INTEL_URL : baseUrlOf(upstream);
  const roots = trustedRoots("--upstream-root", upstreamRoot);
  const http = httpClient({
    clock,
    ...(options.upstreamCa === undefined ? {} : { tls: { ca: optionFile("--upstream-ca", options.upstreamCa) } }),
  });
  const apiKey =
    options.apiKeyFile === undefined ? undefined : followedApiKey(options.apiKeyFile, (line) => log.warn(line));
  const rootCaCrlUrl = crlUrlOf(upstreamRoot);
  const crlOrigins = [
    ...INTEL_CRL_ORIGINS,
    ...(rootCaCrlUrl === undefined ? [] : [rootCaCrlUrl]),
    ...(options.crlHosts ?? []).map(crlOrigin),
  ];
  const pcs = pcsSource({
    http,
    baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(rootCaCrlUrl === undefined ? {} : { rootCaCrlUrl }),
    crlOrigins: crlOrigins.map((url) => new URL(url).origin),
  });
  const around = { clock, random: Math.random };
  const source = upstream === "intel" ? pcs : withRootCaCrlOf(pccsSource({ http, baseUrl }), pcs);
  return {
    source: withBreaker(withRetry(source, around), around),
    trustedRoots: roots,
    crlHosts: [baseUrl, ...crlOrigins].map(crlHost),
    close: () => http.close(),
  };
}

/**
 * The root CA's CRL from the upstream itself where that is a PCCS, which serves it (a provisioning service does not): its
 * distribution point may not be reachable from here, which is why there is a PCCS in between.
 */
function withRootCaCrlOf(pccs: CollateralSource, upstream: CollateralUpstream): CollateralUpstream {
  return {
    kind: upstream.kind,
    name: upstream.name,
    pckCertificates: (platform, pceId, options) => upstream.pckCertificates(platform, pceId, options),
    fetch: async (request, options) => {
      if (request.kind !== "root-ca-crl") return upstream.fetch(request, options);
      try {
        return await pccs.fetch(request, options);
      } catch (error) {
        if (!(error instanceof CollateralError && error.code === "NOT_FOUND")) throw error;
        return upstream.fetch(request, options);
      }
    },
  };
}

/** Where a root of one's own says that its CRL is. Undefined: Intel's, or a root that does not say. */
function crlUrlOf(upstreamRoot: readonly string[] | undefined): string | undefined {
  // They were read before: a file that cannot be is said by then.
  for (const file of upstreamRoot ?? []) {
    const url = rootDistributionPoint(readFileSync(file, "utf8"));
    if (url !== undefined) return url;
  }
  return undefined;
}

async function openSoftware({ stateDirectory }: UpstreamOptions, log: Logger): Promise<OpenUpstream> {
  const { SOFTWARE_AUTHORITY_DIRECTORY } = await import("@confcom/collateral/software");
  const { SoftwareThread } = await import("./software-thread/software-thread.ts");
  const path = join(stateDirectory, SOFTWARE_AUTHORITY_DIRECTORY);
  const source = await SoftwareThread.start(path, (text) => log.warn(text));
  return {
    source,
    trustedRoots: [trustedRootFromCertificate(source.rootCertificatePem)],
    crlHosts: [],
    rootCertificate: source.rootCertificatePem,
    revocationFile: join(path, REVOCATION_FILE),
    close: () => source.close(),
  };
}

function baseUrlOf(text: string): string {
  const url = text.endsWith("/") ? text : `${text}/`;
  if (URL.canParse(url) && /^https?:\/\//.test(url)) return url;
  throw usage(`--upstream is intel, software or a URL, got "${text}"`, "pccs");
}

/** `host`, `host:port` or `http://host:port`. */
function crlOrigin(host: string): string {
  const url = host.includes("://") ? host : `https://${host}`;
  if (/^https?:\/\/[^/?#@]+$/.test(url) && URL.canParse(url)) return url;
  throw usage(`crlHosts names hosts, with a port or http:// before, not "${host}"`, "pccs");
}

function crlHost(origin: string): string {
  const { protocol, host } = new URL(origin);
  return protocol === "https:" ? host : `http://${host}`;
}
