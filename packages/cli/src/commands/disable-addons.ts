import process from "node:process";
import type { Command } from "commander";
import { addDisableFlags, type Exit } from "../addon/register-life-cycle.ts";
import type { Output } from "../terminal/output.ts";

/** `confcom disable-addons -a confcom`, as `az aks disable-addons`. */
export function register(program: Command, output: Output, exit: Exit = setExitCode): void {
  const command = program.command("disable-addons").description("confcom addon disable, as az aks spells it");
  addDisableFlags(command, "--addons", output, exit);
}

const setExitCode: Exit = (status) => {
  process.exitCode = status;
};
