import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Command, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";
import { writeResult } from "../output-file.ts";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";

interface ExportOptions {
  state: string;
  out: string;
  ca: "platform" | "processor";
  root?: boolean;
  json?: boolean;
}

/** `confcom collateral export`: what a verifier needs to check this platform's quotes. */
export function register(program: Command, output: Output): void {
  const collateral = program.command("collateral").description("what verifiers need besides the quote");
  collateral
    .command("export")
    .description("write the collateral of a software platform: CRLs, TCB info, QE identity, their issuer chains")
    .requiredOption("--state <dir>", "the quote helper's state directory")
    .requiredOption(
      "--out <path>",
      "FILE.json for one JSON object, - for standard output, anything else is a directory",
    )
    .addOption(
      new Option("--ca <name>", "whose PCK CRL goes into the JSON")
        .choices(["platform", "processor"])
        .default("platform"),
    )
    .option("--root", "write the root certificate alone, as PEM: what a verifier is told to trust")
    .option("--json", "say what was written as JSON")
    .action((options: ExportOptions) => exportCollateral(options, output));
}

async function exportCollateral(options: ExportOptions, output: Output): Promise<void> {
  const { openExistingPlatform } = await import("../quote-helper/platform.ts");
  const { collateralFiles, collateralJson } = await import("@confcom/quoting/software");
  const platform = await openExistingPlatform(options.state, (text) => output.note(`warning: ${printable(text)}`));
  try {
    const written: string[] = [];
    if (options.root) {
      writeResult(output, options.out, new TextEncoder().encode(platform.authority.rootCertificatePem));
      if (options.out !== "-") written.push(options.out);
    } else if (options.out === "-" || options.out.endsWith(".json")) {
      writeResult(output, options.out, collateralJson(await platform.authority.collateral(options.ca)));
      if (options.out !== "-") written.push(options.out);
    } else {
      makeDirectory(options.out);
      for (const [name, bytes] of await collateralFiles(platform.authority)) {
        const path = join(options.out, name);
        writeResult(output, path, bytes);
        written.push(path);
      }
    }
    if (options.out === "-") return;
    if (options.json) output.json({ written });
    else for (const path of written) output.line(path);
  } finally {
    await platform.close();
  }
}

function makeDirectory(path: string): void {
  try {
    makeMissing(path);
  } catch (cause) {
    throw new CommandError(
      "CLI_OUTPUT_UNWRITABLE",
      `cannot make the directory ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      "Give a path in a directory that exists and is writable.",
      { exitCode: ExitCode.CANNOT_CREATE, cause },
    );
  }
}

/** Not mkdir's own recursion, which never ends where the kernel answers ENOENT although the parent is there (/proc). */
function makeMissing(path: string): void {
  if (existsSync(path)) return;
  makeMissing(dirname(path));
  mkdirSync(path);
}
