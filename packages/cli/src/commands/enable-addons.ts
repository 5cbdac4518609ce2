import process from "node:process";
import type { Command } from "commander";
import { addEnableFlags, type Exit } from "../addon/register-life-cycle.ts";
import type { Output } from "../terminal/output.ts";

/** `confcom enable-addons -a confcom`, as `az aks enable-addons`. */
export function register(program: Command, output: Output, exit: Exit = setExitCode): void {
  const command = program.command("enable-addons").description("confcom addon enable, as az aks spells it");
  addEnableFlags(command, "--addons", "enable", output, exit);
}

const setExitCode: Exit = (status) => {
  process.exitCode = status;
};
