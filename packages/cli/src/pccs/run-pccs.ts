import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  type CachingMode,
  type CollateralService,
  createCollateralService,
  genuineChecks,
  type HttpLimits,
  metricsText,
  type PccsServer,
  PlatformImports,
  type ServiceLimits,
  ServiceRefusal,
  type ServiceReport,
  startPccsServer,
  type TlsIdentity,
} from "@confcom/collateral/service";
import { type CollateralStore, openStore } from "@confcom/collateral/store";
import type { Logger } from "pino";
import type { LogLevel } from "../quote-helper/configuration.ts";
import { DaemonSignals } from "../quote-helper/daemon-signals.ts";
import { createLog } from "../quote-helper/log.ts";
import { standardError } from "../quote-helper/log-stream.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { usage } from "../usage-error.ts";
import { exposedFiles } from "./exposed-files.ts";
import { followFile } from "./follow-file.ts";
import { followOptionFiles } from "./follow-option-files.ts";
import { optionFile } from "./option-file.ts";
import { ServiceFigures } from "./service-figures.ts";
import { ServiceLog } from "./service-log.ts";
import { databaseUrl, storeOwner } from "./store-commands/store-place.ts";
import { readTokenHashes } from "./token.ts";
import { type OpenUpstream, openUpstream } from "./upstream.ts";

export interface PccsOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly http: boolean;
  readonly stateDirectory: string;
  readonly database: string | undefined;
  readonly mode: CachingMode;
  readonly upstream: string | undefined;
  readonly upstreamRoot: readonly string[] | undefined;
  readonly upstreamCa: string | undefined;
  readonly apiKeyFile: string | undefined;
  readonly userTokenFile: string | undefined;
  readonly adminTokenFile: string | undefined;
  readonly followFiles: boolean;
  readonly staleLimitMs: number | undefined;
  readonly refreshIntervalMs: number | undefined;
  readonly healthListen: { readonly host: string; readonly port: number } | undefined;
  readonly logLevel: LogLevel;
  readonly jsonReadyLine: boolean;
  readonly crlHosts: readonly string[];
  readonly httpLimits: Partial<HttpLimits>;
  readonly serviceLimits: Partial<ServiceLimits>;
}

/** How soon a revocation is seen. */
const REVOCATION_LOOK_MS = 1_000;
/** How long requests under way may take once the service is told to stop. */
const DRAIN_MS = 25_000;
/** How long everything may take then: what still hangs is cut off, as a supervisor would a moment later. */
const END_MS = 28_000;

/** What SIGHUP changes; of everything else the log says that it needs a restart. */
const RELOADED: ReadonlySet<string> = new Set([
  "tlsCert",
  "tlsKey",
  "userTokenFile",
  "adminTokenFile",
  "logLevel",
  "httpLimits",
] satisfies (keyof PccsOptions)[]);

/** The daemon: opens store and upstream, serves, and ends when it is told to, with every request under way answered. `read`: its options, again at SIGHUP. */
export async function runPccs(read: () => PccsOptions, output: Output): Promise<void> {
  const options = read();
  const { tls, tokens } = filesOf(options);
  const log = createLog(options.logLevel);
  const signals = new DaemonSignals();
  const closers: (() => unknown)[] = [() => signals.release()];
  try {
    const store = await openStore({
      stateDirectory: options.stateDirectory,
      ...(options.database === undefined ? {} : { database: databaseUrl(options.database) }),
      owner: storeOwner(),
      clock: SYSTEM_CLOCK,
      random: Math.random,
      onDeath: (error) => log.error({ code: error.code }, error.message),
      report: (line) => log.warn(line),
    });
    closers.unshift(() => store.close());
    const upstream = await openUpstream(options, SYSTEM_CLOCK, log);
    closers.unshift(() => upstream.close());
    const figures = new ServiceFigures();
    const serviceLog = new ServiceLog(log, SYSTEM_CLOCK);
    const imports = new PlatformImports(store, upstream.trustedRoots);
    closers.unshift(() => imports.close());
    const service = createService(options, store, imports, upstream, (event) => {
      figures.count(event);
      serviceLog.event(event);
    });
    closers.unshift(() => service.close());
    closers.unshift(followRevocations(upstream, service, log));
    const server = await startPccsServer({
      service,
      listen: options.listen,
      tls,
      plainHttp: options.http,
      tokens,
      limits: options.httpLimits,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      refused: (request) => serviceLog.refused(request),
      ...(log.isLevelEnabled("info") ? { accessLog: (lines: string) => standardError().writeAll(lines) } : {}),
    });
    closers.unshift(() => server.close({ deadlineMs: DRAIN_MS }));
    warnOfFiles(options, log);
    const health = await openHealth(options, service, server, figures);
    closers.unshift(() => health?.close());
    signals.onReload(async () => reload(read, options, server, log));
    if (options.followFiles) closers.unshift(followFiles(read, options, server, log));
    announce(options, server, upstream, output);
    const why = await signals.stopped;
    endInAnyCase();
    log.info(`stopping: ${why}`);
  } finally {
    for (const close of closers) await closed(close, log);
  }
}

/** What cannot be closed keeps nothing after it open. */
async function closed(close: () => unknown, log: Logger): Promise<void> {
  try {
    await close();
  } catch (error) {
    log.error(`while stopping: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Every acknowledged write is on disk: ending here loses nothing but answers. */
function endInAnyCase(): void {
  setTimeout(() => process.kill(process.pid, "SIGKILL"), END_MS).unref();
}

function createService(
  options: PccsOptions,
  store: CollateralStore,
  imports: PlatformImports,
  upstream: OpenUpstream,
  report: ServiceReport,
): CollateralService {
  const { mode, staleLimitMs, refreshIntervalMs } = options;
  return createCollateralService({
    store,
    mode,
    ...(upstream.source === undefined ? {} : { upstream: upstream.source }),
    checks: genuineChecks(upstream.trustedRoots),
    readPlatformCollateral: (json) => imports.read(json),
    clock: SYSTEM_CLOCK,
    random: Math.random,
    sha384: (text) => createHash("sha384").update(text, "utf8").digest("hex"),
    report,
    allowedCrlHosts: upstream.crlHosts,
    limits: options.serviceLimits,
    ...(staleLimitMs === undefined ? {} : { staleLimitMs }),
    ...(refreshIntervalMs === undefined ? {} : { refreshIntervalMs }),
  });
}

/** A certificate that `confcom pccs revoke` revoked meanwhile, or while the service was down, is on the CRLs at once. */
function followRevocations(
  { revocationFile }: OpenUpstream,
  service: CollateralService,
  log: Logger,
): () => Promise<void> {
  if (revocationFile === undefined) return async () => {};
  return followFile({
    path: revocationFile,
    everyMs: REVOCATION_LOOK_MS,
    changed: async () => {
      try {
        await service.refresh();
      } catch (error) {
        // Whose CA was revoked is refused, now and later: the CRL that says so was the first to be stored.
        if (!(error instanceof ServiceRefusal && error.status === 460)) throw error;
      }
      log.info("the software platform's CRLs are those of its authority");
    },
  });
}

/** What cannot be read is said before anything is opened or made. */
function filesOf(options: PccsOptions) {
  if (options.apiKeyFile !== undefined) optionFile("--api-key-file", options.apiKeyFile);
  return { tls: tlsOf(options), tokens: tokensOf(options) };
}

function tokensOf({ userTokenFile, adminTokenFile }: PccsOptions) {
  return {
    user: readTokenHashes("--user-token-file", userTokenFile),
    admin: readTokenHashes("--admin-token-file", adminTokenFile),
  };
}

function warnOfFiles(options: PccsOptions, log: Logger): void {
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
function reload(read: () => PccsOptions, started: PccsOptions, server: PccsServer, log: Logger): void {
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
function followFiles(
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

async function openHealth(
  { healthListen }: PccsOptions,
  service: CollateralService,
  server: PccsServer,
  figures: ServiceFigures,
) {
  if (healthListen === undefined) return undefined;
  const { startStatusServer } = await import("@confcom/kubernetes/status");
  return startStatusServer(healthListen, {
    status: () => ({ url: server.url, mode: service.mode, now: new Date().toISOString() }),
    healthy: () => ({ ok: true, why: "the main thread answers" }),
    ready: () =>
      service.ping().then(
        () => ({ ok: true, why: "the store reads and writes" }),
        (error: unknown) => ({ ok: false, why: error instanceof Error ? error.message : String(error) }),
      ),
    metrics: () => metricsText([...server.metrics(), ...figures.metrics()]),
  });
}

function announce(options: PccsOptions, server: PccsServer, upstream: OpenUpstream, output: Output): void {
  const { mode } = options;
  if (options.jsonReadyLine) {
    const root = upstream.rootCertificate === undefined ? {} : { rootCertificate: upstream.rootCertificate };
    output.jsonLine({ ready: true, pid: process.pid, url: server.url, mode, ...root });
    return;
  }
  output.line(`PCCS at ${server.url}, mode ${mode}, upstream ${options.upstream ?? "none"}`);
}
