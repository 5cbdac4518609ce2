import { decodeQuote } from "@confcom/sgx";
import type { Command } from "commander";
import { readQuote } from "../input/quote-input.ts";
import { quoteTree } from "../inspect/quote-tree.ts";
import type { Output } from "../terminal/output.ts";
import { drawTree } from "../terminal/tree.ts";

/** `confcom inspect QUOTE`: every field, decoded; nothing is verified. */
export function register(program: Command, output: Output): void {
  program
    .command("inspect")
    .description("print every field of a quote (nothing is verified)")
    .argument("<quote>", "a file with the quote (binary, hex or base64), or -")
    .option("--full", "do not shorten long values")
    .option("--json", "print the decoded quote as JSON")
    .action((path: string, options: { full?: boolean; json?: boolean }) => {
      const quote = decodeQuote(readQuote(path));
      if (options.json) {
        output.json(quote);
        return;
      }
      const width = options.full === true ? Number.POSITIVE_INFINITY : 72;
      for (const line of drawTree(quoteTree(quote), output.style, width)) output.line(line);
      output.line(output.style.faint("Decoded only. `confcom verify` says whether any of this is true."));
    });
}
