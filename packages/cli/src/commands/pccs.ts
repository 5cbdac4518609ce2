import { type Command, Option } from "commander";
import type { RevokeOptions } from "../pccs/revoke.ts";
import { registerStoreCommands } from "../pccs/store-commands/register.ts";
import { isLogLevel, LOG_LEVELS } from "../quote-helper/configuration.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger, usage } from "../usage-error.ts";

interface PccsCommandOptions {
  listen: string;
  tlsCert?: string;
  tlsKey?: string;
  http?: boolean;
  state?: string;
  database?: string;
  mode: "lazy" | "req" | "offline";
  upstream: string;
  upstreamRoot?: string[];
  upstreamCa?: string;
  apiKeyFile?: string;
  userTokenFile?: string;
  adminTokenFile?: string;
  staleLimit?: string;
  refreshInterval?: string;
  healthListen?: string;
  logLevel: string;
  json?: boolean;
}

const MODES = { lazy: "LAZY", req: "REQ", offline: "OFFLINE" } as const;
const HOUR = 3_600_000;
/** Twenty days: documents live for thirty, and a timer can wait for twenty-four. */
const MOST_REFRESH_HOURS = 480;

/** `confcom pccs`: the PCCS-compatible service in the foreground, and what works on its data. */
export function register(program: Command, output: Output): void {
  // `--state` after a subcommand is the subcommand's: both commands above it must leave it alone.
  program.enablePositionalOptions();
  const pccs = program
    .command("pccs")
    .description("serve collateral as Intel's PCCS does, in the foreground")
    .enablePositionalOptions()
    .option("--listen <host:port>", "where clients connect", "127.0.0.1:8081")
    .option("--tls-cert <pem>", "certificate chain of the service; read again at SIGHUP")
    .option("--tls-key <pem>", "its private key")
    .option("--http", "plain HTTP, on a loopback address only")
    .option("--state <dir>", "the service's state directory")
    .option("--database <url>", "postgres://... or a file that holds it (a password is seen by ps)")
    .addOption(new Option("--mode <mode>", "how the cache fills").choices(Object.keys(MODES)).default("lazy"))
    .option("--upstream <name>", "intel, software, or the URL of a service like Intel's", "intel")
    .option("--upstream-root <pem...>", "root certificates to trust instead of Intel's")
    .option("--upstream-ca <pem>", "CA of the upstream's TLS certificate")
    .option("--api-key-file <file>", "the PCS subscription key; read again for every request")
    .option("--user-token-file <file>", "hashes of user tokens (confcom pccs token); read again at SIGHUP")
    .option("--admin-token-file <file>", "hashes of admin tokens; read again at SIGHUP")
    .option("--stale-limit <hours>", "how long to serve what is past its nextUpdate (default: 168; offline: no limit)")
    .option("--refresh-interval <hours>", "how often to refresh all documents; 0: never, at most 480 (default: 24)")
    .option("--health-listen <host:port>", "serve /readyz, /healthz, /status and /metrics there (default: nowhere)")
    .addOption(new Option("--log-level <level>", "how much to log").choices(LOG_LEVELS).default("info"))
    .option("--json", "print the ready line as JSON")
    .action((options: PccsCommandOptions) => serve(options, output));
  pccs
    .command("token")
    .description("make a token: shown once, its hash added to a file")
    .requiredOption("--file <file>", "for --user-token-file or --admin-token-file")
    .option("--json", "print it as JSON")
    .action(async (options: { file: string; json?: boolean }) => {
      const { makeToken } = await import("../pccs/token.ts");
      makeToken(options, output);
    });
  pccs
    .command("revoke")
    .description("revoke a certificate of the software platform's authority, also beside the service that runs on it")
    .argument("<serial>", "the certificate's serial number, hexadecimal")
    .requiredOption("--state <dir>", "the service's state directory")
    .option("--reason <name>", "CRLReason", "keyCompromise")
    .addOption(new Option("--issuer <ca>", "whose CRL").choices(["platform", "processor", "root"]).default("platform"))
    .option("--json", "print the result as JSON")
    .action(async (serial: string, options: RevokeOptions) => {
      const { revoke } = await import("../pccs/revoke.ts");
      await revoke(serial, options, output);
    });
  registerStoreCommands(pccs, output);
}

async function serve(options: PccsCommandOptions, output: Output): Promise<void> {
  const { parseListenAddress } = await import("@confcom/kubernetes/status");
  const address = (name: string, text: string) => {
    const parsed = parseListenAddress(text);
    if (parsed === undefined) throw usage(`${name} takes HOST:PORT, [IPv6]:PORT or :PORT, got "${text}"`, "pccs");
    return parsed;
  };
  const hours = (name: string, text: string | undefined, most: number) =>
    text === undefined ? undefined : parseInteger(text, name, 0, most) * HOUR;
  if (options.state === undefined && (options.database === undefined || options.upstream === "software")) {
    throw usage("--state says where the service keeps its data", "pccs");
  }
  const { runPccs } = await import("../pccs/run-pccs.ts");
  await runPccs(
    {
      listen: address("--listen", options.listen),
      tlsCert: options.tlsCert,
      tlsKey: options.tlsKey,
      http: options.http === true,
      stateDirectory: options.state ?? "",
      database: options.database,
      mode: MODES[options.mode],
      upstream: options.mode === "offline" ? undefined : options.upstream,
      upstreamRoot: options.upstreamRoot,
      upstreamCa: options.upstreamCa,
      apiKeyFile: options.apiKeyFile,
      userTokenFile: options.userTokenFile,
      adminTokenFile: options.adminTokenFile,
      staleLimitMs: hours("--stale-limit", options.staleLimit, 1_000_000),
      refreshIntervalMs: hours("--refresh-interval", options.refreshInterval, MOST_REFRESH_HOURS),
      healthListen: options.healthListen === undefined ? undefined : address("--health-listen", options.healthListen),
      logLevel: isLogLevel(options.logLevel) ? options.logLevel : "info",
      jsonReadyLine: options.json === true,
    },
    output,
  );
}
