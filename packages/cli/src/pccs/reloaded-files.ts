import { isDeepStrictEqual } from "node:util";
import type { PccsServer, TlsIdentity } from "@confcom/collateral/service";
import type { Logger } from "pino";
import { usage } from "../usage-error.ts";
import { exposedFiles } from "./exposed-files.ts";
import { followOptionFiles } from "./follow-option-files.ts";
import { optionFile } from "./option-file.ts";
import type { PccsOptions } from "./pccs-options.ts";
import { readTokenHashes } from "./token.ts";

/** What SIGHUP changes; of everything else the log says that it needs a restart. */
const RELOADED: ReadonlySet<string> = new Set([
  "tlsCert",
  "tlsKey",
  "userTokenFile",
  "adminTokenFile",
  "logLevel",
  "httpLimits",
] satisfies (keyof PccsOptions)[]);

/** What cannot be read is said before anything is opened or made. */
export function filesOf(options: PccsOptions) {
  if (options.apiKeyFile !== undefined) optionFile("--api-key-file", options.apiKeyFile);
  return { tls: tlsOf(options), tokens: tokensOf(options) };
}

function tokensOf({ userTokenFile, adminTokenFile }: PccsOptions) {
  return {
    user: readTokenHashes("--user-token-file", userTokenFile),
    admin: readTokenHashes("--admin-token-file", adminTokenFile),
  };
}

export function warnOfFiles(options: PccsOptions, log: Logger): void {
  const { apiKeyFile, tlsKey, userTokenFile, adminTokenFile } = options;
  for (const line of exposedFiles({ secret: [apiKeyFile, tlsKey], trusted: [userTokenFile, adminTokenFile] })) {
    log.warn(line);
  }
}

function tlsOf({ tlsCert, tlsKey }: PccsOptions): TlsIdentity | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw usage("--tls-cert and --tls-key go together", "pccs");
  return { certificate: optionFile("--tls-cert", tlsCert), key: optionFile("--tls-key", tlsKey) };
}

/** SIGHUP: whatever cannot be read leaves the present one in force. The API key is read for every request anyway. */
export function reload(read: () => PccsOptions, started: PccsOptions, server: PccsServer, log: Logger): void {
  try {
    const options = read();
    // Each for itself: a certificate that cannot be used is no reason to keep a token that was withdrawn.
    attempt("tokens", log, () => server.reloadTokens(tokensOf(options)));
    attempt("TLS certificate", log, () => {
      const tls = tlsOf(options);
      if (tls !== undefined) server.reloadTls(tls);
    });
    warnOfFiles(options, log);
    const later = server.reloadLimits(options.httpLimits).map((name) => `httpLimits.${name}`);
    log.level = options.logLevel;
    const names = Object.keys(started) as (keyof PccsOptions)[];
    const changed = names.filter((name) => !RELOADED.has(name) && !isDeepStrictEqual(options[name], started[name]));
    log.info("SIGHUP: limits read again");
    if (changed.length + later.length > 0)
      log.warn(`SIGHUP: in force after a restart: ${[...changed, ...later].join(", ")}`);
  } catch (error) {
    log.error(`SIGHUP: kept what was in force: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `--follow-files`: as at SIGHUP, for the one file that changed. */
export function followFiles(
  read: () => PccsOptions,
  { tlsCert, tlsKey, userTokenFile, adminTokenFile }: PccsOptions,
  server: PccsServer,
  log: Logger,
): () => Promise<void> {
  const tokens = () => server.reloadTokens(tokensOf(read()));
  const tls = () => {
    const next = tlsOf(read());
    if (next !== undefined) server.reloadTls(next);
  };
  return followOptionFiles(
    [
      { what: "TLS certificate", paths: [tlsCert, tlsKey], read: tls },
      { what: "tokens", paths: [userTokenFile, adminTokenFile], read: tokens },
    ],
    log,
  );
}

function attempt(what: string, log: Logger, work: () => void): void {
  try {
    work();
    log.info(`SIGHUP: ${what} read again`);
  } catch (error) {
    log.error(`SIGHUP: kept the ${what} in force: ${error instanceof Error ? error.message : String(error)}`);
  }
}
