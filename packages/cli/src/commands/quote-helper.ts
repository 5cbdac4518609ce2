import { availableParallelism } from "node:os";
import { DEFAULT_SOCKET_PATH } from "@confcom/aesm";
import { DEFAULT_STATE_DIRECTORY } from "@confcom/quoting";
import { type Command, Option } from "commander";
import { isLogLevel, LOG_LEVELS } from "../quote-helper/configuration.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger, usage } from "../usage-error.ts";

interface QuoteHelperCommandOptions {
  socket: string;
  state: string;
  platform: string;
  cpu?: "sdk-simulation" | "private";
  cpusvn: "default" | "upgraded" | "downgraded";
  workers: string;
  takeover?: boolean;
  healthListen?: string;
  pccs?: string;
  pccsRoot?: string;
  pccsCa?: string;
  pccsUserTokenFile?: string;
  config?: string;
  logLevel?: string;
  json?: boolean;
}

/** `confcom quote-helper`: the AESM-compatible daemon, in the foreground. */
export function register(program: Command, output: Output): void {
  program
    .command("quote-helper")
    .description("serve quotes on the AESM socket, in the foreground")
    .option("--socket <path>", "where clients look", DEFAULT_SOCKET_PATH)
    .option("--state <dir>", "the platform's state directory", DEFAULT_STATE_DIRECTORY)
    .addOption(new Option("--platform <name>", "who makes quotes").choices(["software", "dcap"]).default("software"))
    .addOption(
      new Option(
        "--cpu <profile>",
        "the simulated CPU; fixed when the state directory is made (default: what it has, else sdk-simulation)",
      ).choices(["sdk-simulation", "private"]),
    )
    .addOption(
      new Option("--cpusvn <name>", "the platform's own security version")
        .choices(["default", "upgraded", "downgraded"])
        .default("default"),
    )
    .option("--workers <number>", "event loops", String(availableParallelism()))
    .option("--takeover", "take the socket over from a live owner, who drains and leaves")
    .option(
      "--health-listen <host:port>",
      "serve /readyz, /healthz, /status and /metrics there over HTTP (default: nowhere)",
    )
    .option("--pccs <url>", "be certified by this PCCS, registering there (default: by the platform's own authority)")
    .option("--pccs-root <pem>", "the root certificate that what the PCCS answers must stand under")
    .option("--pccs-ca <pem>", "trusted for the PCCS's TLS certificate instead of the well-known CAs")
    .option("--pccs-user-token-file <file>", "the user token to register with; read anew each time")
    .option("--config <file>", "JSON configuration, read again at SIGHUP")
    .addOption(new Option("--log-level <level>", "how much to log (default: info)").choices(LOG_LEVELS))
    .option("--json", "print the ready line as JSON")
    .action(async (options: QuoteHelperCommandOptions) => {
      const { runQuoteHelper } = await import("../quote-helper/run-quote-helper.ts");
      const { logLevel } = options;
      await runQuoteHelper(
        {
          socketPath: options.socket,
          stateDirectory: options.state,
          platform: options.platform,
          profile: options.cpu,
          cpuSvn: options.cpusvn,
          workers: parseInteger(options.workers, "--workers", 1, 256),
          takeover: options.takeover === true,
          configurationPath: options.config,
          logLevel: isLogLevel(logLevel) ? logLevel : undefined,
          jsonReadyLine: options.json === true,
          healthListen: options.healthListen === undefined ? undefined : await listenAddress(options.healthListen),
          nodeName: process.env.NODE_NAME,
          pccs: {
            ...(options.pccs === undefined ? {} : { url: options.pccs }),
            ...(options.pccsRoot === undefined ? {} : { root: options.pccsRoot }),
            ...(options.pccsCa === undefined ? {} : { ca: options.pccsCa }),
            ...(options.pccsUserTokenFile === undefined ? {} : { userTokenFile: options.pccsUserTokenFile }),
          },
        },
        output,
      );
    });
}

async function listenAddress(text: string) {
  const { parseListenAddress } = await import("@confcom/kubernetes/status");
  const address = parseListenAddress(text);
  if (address === undefined) {
    throw usage(`--health-listen takes HOST:PORT, [IPv6]:PORT or :PORT, got "${text}"`, "quote-helper");
  }
  return address;
}
