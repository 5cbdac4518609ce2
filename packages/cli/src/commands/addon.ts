import process from "node:process";
import { type Command, Option } from "commander";
import { OUTPUT_FORMATS, type OutputFormat } from "../addon/addon-output.ts";
import { addClusterFlags, type ClusterFlags } from "../addon/cluster-flags.ts";
import { addDisableFlags, addEnableFlags, type Exit } from "../addon/register-life-cycle.ts";
import { addStatusFlags } from "../addon/status-command.ts";
import type { Output } from "../terminal/output.ts";

/** `confcom addon`: the add-on of a cluster, with the verbs and flags of `az aks addon`. */
export function register(program: Command, output: Output, exit: Exit = setExitCode): void {
  const addon = program.command("addon").description("switch confcom on and off for a Kubernetes cluster");
  const command = (name: string, description: string) => addon.command(name).description(description);
  addEnableFlags(command("enable", "install the add-on"), "--addon", "enable", output, exit);
  addEnableFlags(
    command("update", "change the add-on; without --enable-sgxquotehelper that one is switched off"),
    "--addon",
    "update",
    output,
    exit,
  );
  addDisableFlags(command("disable", "remove the add-on and everything that it made"), "--addon", output, exit);
  addClusterFlags(command("show", "how the add-on is configured"))
    .requiredOption("-a, --addon <name>", "confcom")
    .action(async (flags: ClusterFlags & { addon: string }) => {
      const { runShow } = await import("../addon/run-inspect.ts");
      exit(await runShow(flags, output));
    });
  addClusterFlags(command("list", "whether the add-on is enabled")).action(async (flags: ClusterFlags) => {
    const { runList } = await import("../addon/run-inspect.ts");
    exit(await runList(flags, output));
  });
  addStatusFlags(command("status", "nodes, EPC, helpers, and what is wrong with them"), output, exit);
  command("list-available", "what there is to enable")
    .addOption(new Option("-o, --output <format>", "how to print (default: json)").choices(OUTPUT_FORMATS))
    .option("--json", "as -o json")
    .action(async (flags: { json?: boolean; output?: OutputFormat }) => {
      const { runListAvailable } = await import("../addon/run-inspect.ts");
      exit(await runListAvailable(flags, output));
    });
}

const setExitCode: Exit = (status) => {
  process.exitCode = status;
};
