import type { Command } from "commander";
import type { ExitCodeValue } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { addClusterFlags } from "./cluster-flags.ts";
import { addValueFlags } from "./given-values.ts";
import type { DisableFlags } from "./run-disable.ts";
import type { EnableFlags } from "./run-enable.ts";

/** Seconds: longer than a kubelet shows the resources of a plugin that is gone. */
const TIMEOUT = "600";

/** What a command leaves to be the process's exit status. */
export type Exit = (status: ExitCodeValue) => void;

/** `az` calls the flag `--addon` in `addon` commands and `--addons` in the others. */
type AddonFlag = "--addon" | "--addons";

interface Spelled {
  addons?: string;
}

export function addEnableFlags(
  command: Command,
  flag: AddonFlag,
  verb: "enable" | "update",
  output: Output,
  exit: Exit,
): void {
  addClusterFlags(command.requiredOption(`-a, ${flag} <name>`, "confcom"));
  command.option("--enable-sgxquotehelper", "quote helpers too, under one root for the cluster");
  addValueFlags(command)
    .option("--reset-values", "forget values that were given earlier")
    .option("--force-conflicts", "take fields that other managers hold")
    .option("--dry-run", "ask the API server what would change, and change nothing");
  addWaitFlags(command, "end when everything is applied, ready or not", "end when everything is ready (default)");
  command.action(async (flags: EnableFlags & Spelled) => {
    const { runEnable } = await import("./run-enable.ts");
    exit(await runEnable(verb, { ...flags, addon: flags.addon ?? flags.addons ?? "" }, output));
  });
}

export function addDisableFlags(command: Command, flag: AddonFlag, output: Output, exit: Exit): void {
  addClusterFlags(command.requiredOption(`-a, ${flag} <name>`, "confcom"))
    .option("--force", "although pods hold SGX resources")
    .option("--keep-state", "keep the PCCS's claim, what relying parties trust, and the values")
    .option("-y, --yes", "ask nothing")
    .option("--dry-run", "print what would be removed, and remove nothing");
  const noWait = "do not wait until kubelets have let go of the resources (five minutes)";
  addWaitFlags(command, noWait, "wait for them (default)");
  command.action(async (flags: DisableFlags & Spelled) => {
    const { runDisable } = await import("./run-disable.ts");
    exit(await runDisable({ ...flags, addon: flags.addon ?? flags.addons ?? "" }, output));
  });
}

function addWaitFlags(command: Command, noWait: string, wait: string): void {
  command
    .option("--no-wait", noWait)
    .option("--wait", wait)
    .option("--timeout <seconds>", "for all waiting together", TIMEOUT);
}
