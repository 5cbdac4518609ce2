import type { Command } from "commander";
import type { Output } from "../terminal/output.ts";

/** `confcom demo`: the whole way of one quote, visibly, on any machine. */
export function register(program: Command, output: Output): void {
  program
    .command("demo")
    .description("make a quote and verify it, step by step, with a quote helper of its own; nothing is left running")
    .option("--full", "do not shorten long values")
    .option("--json", "print what happened as JSON")
    .action(async (options: { full?: boolean; json?: boolean }) => {
      const { runDemo } = await import("../demo/run-demo.ts");
      await runDemo(options, output);
    });
}
