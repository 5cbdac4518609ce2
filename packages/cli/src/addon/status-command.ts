import { type Command, InvalidArgumentError } from "commander";
import type { Output } from "../terminal/output.ts";
import { addClusterFlags } from "./cluster-flags.ts";
import type { Exit } from "./register-life-cycle.ts";
import type { StatusFlags } from "./status.ts";

/** `addon status`: unlike the verbs of `az` it is for people first, so that it prints a table unless told otherwise. */
export function addStatusFlags(command: Command, output: Output, exit: Exit): void {
  addClusterFlags(command)
    .option("--node <name>", "this node alone, and the pods on it")
    .option("--watch [seconds]", "look again and again, until interrupted (default: every 10 s)", seconds)
    .action(async (flags: StatusFlags) => {
      const { runStatus } = await import("./status.ts");
      await runStatus(flags, output, exit);
    });
  const format = command.options.find(({ long }) => long === "--output");
  if (format !== undefined) format.description = "how to print (default: table)";
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value < 1) throw new InvalidArgumentError("it takes a number of seconds, 1 or more");
  return value;
}
