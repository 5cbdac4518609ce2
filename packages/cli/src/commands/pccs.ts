import { type Command, Option } from "commander";
import { SERVICE_ACCOUNT_DIRECTORY } from "../in-cluster/service-account.ts";
import { PCCS_MODES } from "../pccs/pccs-mode.ts";
import type { PccsCommandOptions } from "../pccs/pccs-options.ts";
import type { PrepareOptions } from "../pccs/prepare/run-prepare.ts";
import type { RevokeOptions } from "../pccs/revoke.ts";
import { registerStoreCommands } from "../pccs/store-commands/register.ts";
import type { TrustCommandOptions } from "../pccs/trust/trust-options.ts";
import { LOG_LEVELS } from "../quote-helper/configuration.ts";
import type { Output } from "../terminal/output.ts";

/** `confcom pccs`: the PCCS-compatible service in the foreground, and what works on its data. */
export function register(program: Command, output: Output): void {
  // `--state` after a subcommand is the subcommand's: both commands above it must leave it alone.
  program.enablePositionalOptions();
  const pccs = program
    .command("pccs")
    .description("serve collateral as Intel's PCCS does, in the foreground")
    .enablePositionalOptions()
    .option("--listen <host:port>", "where clients connect (default: 127.0.0.1:8081)")
    .option("--tls-cert <pem>", "certificate chain of the service; read again at SIGHUP")
    .option("--tls-key <pem>", "its private key")
    .option("--http", "plain HTTP, on a loopback address only")
    .option("--state <dir>", "the service's state directory")
    .option("--database <url>", "postgres://... or a file that holds it (a password is seen by ps)")
    .addOption(new Option("--mode <mode>", "how the cache fills (default: lazy)").choices(PCCS_MODES))
    .option("--upstream <name>", "intel (default), software, or the URL of a service like Intel's")
    .option("--upstream-root <pem...>", "root certificates to trust instead of Intel's")
    .option("--upstream-ca <pem>", "CA of the upstream's TLS certificate")
    .option("--api-key-file <file>", "the PCS subscription key; read again for every request")
    .option("--user-token-file <file>", "hashes of user tokens (confcom pccs token); read again at SIGHUP")
    .option("--admin-token-file <file>", "hashes of admin tokens; read again at SIGHUP")
    .option("--follow-files", "read certificate, key and token files again when they change, without SIGHUP")
    .option("--stale-limit <hours>", "how long to serve what is past its nextUpdate (default: 168; offline: no limit)")
    .option("--refresh-interval <hours>", "how often to refresh all documents; 0: never, at most 480 (default: 24)")
    .option("--health-listen <host:port>", "serve /readyz, /healthz, /status and /metrics there (default: nowhere)")
    .addOption(new Option("--log-level <level>", "how much to log (default: info)").choices(LOG_LEVELS))
    .option("--config <file>", "JSON: all of these, and every limit; read again at SIGHUP")
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
  pccs
    .command("prepare")
    .description("make in the state directory what serving by TLS and registering need, and is not there yet")
    .requiredOption("--state <dir>", "the service's state directory")
    .option("--dns-name <name...>", "what clients call the service; repeat for several")
    .option("--ip-address <address...>", "addresses that clients use instead of a name")
    .option("--user-token-out <file>", "write the user token there too, mode 0600")
    .option("--json", "print what was made and what was kept as JSON; never a secret")
    .action(async (options: PrepareOptions) => {
      const { prepare } = await import("../pccs/prepare/run-prepare.ts");
      await prepare(options, output);
    });
  pccs
    .command("trust")
    .description("publish root, TLS authority and user token in the cluster, keep them right, renew the certificate")
    .requiredOption("--state <dir>", "the service's state directory, as confcom pccs prepare left it")
    .requiredOption("--namespace <name>", "where ConfigMap and Secret are")
    .option("--config-map <name>", "gets root-ca.pem and pccs-ca.pem (default: sgx-quote-root)")
    .option("--secret <name>", "gets user-token (default: sgx-pccs-user-token)")
    .option("--upstream <name>", "the service's: software, intel or a URL", "software")
    .option("--upstream-root <pem>", "root certificate of an upstream that is neither (default: Intel's)")
    .option("--listen <host:port>", "where /status, /healthz, /readyz and /metrics are served", "127.0.0.1:9106")
    .option("--token-file <file>", "the pod's service account token", `${SERVICE_ACCOUNT_DIRECTORY}/token`)
    .option("--ca-file <file>", "the cluster's CA certificates", `${SERVICE_ACCOUNT_DIRECTORY}/ca.crt`)
    .option("--api-server <url>", "(default: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT)")
    .addOption(new Option("--log-level <level>", "how much to log").choices(LOG_LEVELS).default("info"))
    .option("--json", "print the ready line as JSON")
    .action(async (options: TrustCommandOptions) => {
      const { trustOptions } = await import("../pccs/trust/trust-options.ts");
      const { runTrust } = await import("../pccs/trust/run-trust.ts");
      await runTrust(trustOptions(options), output);
    });
  registerStoreCommands(pccs, output);
}

async function serve(options: PccsCommandOptions, output: Output): Promise<void> {
  const { pccsOptions } = await import("../pccs/pccs-options.ts");
  const { runPccs } = await import("../pccs/run-pccs.ts");
  await runPccs(() => pccsOptions(options), output);
}
