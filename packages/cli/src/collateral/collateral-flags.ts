import type { ConfigurationFlags } from "@confcom/collateral/configuration";
import { type Command, Option } from "commander";

/** What every command that gets collateral takes. */
export interface CollateralFlags extends ConfigurationFlags {
  readonly trustRoot?: string[];
}

const repeated = (value: string, all: readonly string[] = []) => [...all, value];

/** Adds them, but for `--trust-root`: where it stands among a command's options is for the command to say. */
export function addCollateralFlags(command: Command): Command {
  return command
    .option("--source <url|path>", "ask this PCS, PCCS, THIM or directory, in this order, and no other", repeated)
    .option("--pccs-url <url>", "ask this PCCS first, and no other but what --source names")
    .option("--insecure", "do not look at sources' TLS certificates; what they answer is checked all the same")
    .option("--tls-ca <pem>", "trust this CA for the sources' TLS")
    .option("--api-key-file <file>", "file with the subscription key for Intel's PCS")
    .option("--cache <dir>", "keep answers here; none: keep nothing")
    .option("--stale-limit <time>", "how long past its nextUpdate an answer is used: 12h, 7d, unlimited (default: 7d)")
    .option("--deadline <time>", "for everything together, 1s to 10m (default: 20s)")
    .option("--offline", "use the cache only")
    .addOption(new Option("--update <name>", "which TCB evaluation").choices(["standard", "early"]));
}

export function addTrustRootFlag(command: Command): Command {
  return command.option(
    "--trust-root <pem>",
    "trust this root certificate's key instead of Intel's (may be repeated)",
    repeated,
  );
}

/** The options of {@link addCollateralFlags} that were given, by their names on the command line. */
export function collateralFlagsGiven(options: CollateralFlags): readonly string[] {
  const names = {
    source: "--source",
    pccsUrl: "--pccs-url",
    insecure: "--insecure",
    tlsCa: "--tls-ca",
    apiKeyFile: "--api-key-file",
    cache: "--cache",
    staleLimit: "--stale-limit",
    deadline: "--deadline",
    offline: "--offline",
    update: "--update",
  } as const;
  return Object.entries(names).flatMap(([key, name]) =>
    options[key as keyof typeof names] === undefined ? [] : [name],
  );
}
