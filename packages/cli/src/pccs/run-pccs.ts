import { createHash } from "node:crypto";
import {
  type CollateralService,
  createCollateralService,
  genuineChecks,
  metricsText,
  type PccsServer,
  PlatformImports,
  ServiceRefusal,
  type ServiceReport,
  startPccsServer,
} from "@confcom/collateral/service";
import { type CollateralStore, openStore } from "@confcom/collateral/store";
import type { Logger } from "pino";
import { DaemonSignals } from "../quote-helper/daemon-signals.ts";
import { createLog } from "../quote-helper/log.ts";
import { standardError } from "../quote-helper/log-stream.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import type { Output } from "../terminal/output.ts";
import { followFile } from "./follow-file.ts";
import type { PccsOptions } from "./pccs-options.ts";
import { filesOf, followFiles, reload, warnOfFiles } from "./reloaded-files.ts";
import { ServiceFigures } from "./service-figures.ts";
import { ServiceLog } from "./service-log.ts";
import { databaseUrl, storeOwner } from "./store-commands/store-place.ts";
import { type OpenUpstream, openUpstream } from "./upstream.ts";

/** How soon a revocation is seen. */
const REVOCATION_LOOK_MS = 1_000;
/** How long requests under way may take once the service is told to stop. */
const DRAIN_MS = 25_000;
/** How long everything may take then: what still hangs is cut off, as a supervisor would a moment later. */
const END_MS = 28_000;

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
