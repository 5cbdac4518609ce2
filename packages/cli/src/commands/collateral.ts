import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Command, Option } from "commander";
import { addCollateralFlags, addTrustRootFlag, type CollateralFlags } from "../collateral/collateral-flags.ts";
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

interface FetchOptions extends CollateralFlags {
  out: string;
  json?: boolean;
}

/** `confcom collateral`: what a verifier needs besides the quote: of a software platform, from sources, from where. */
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
  const fetch = collateral
    .command("fetch")
    .description("get what this quote needs and save it, for verification where no source can be reached")
    .argument("<quote>", "a file with the quote, or with a certificate that carries one, or -")
    .requiredOption("--out <file>", "file for the nine fields as JSON, - for standard output")
    .option("--json", "say what was fetched, and from where, as JSON");
  addCollateralFlags(addTrustRootFlag(fetch)).action((path: string, options: FetchOptions) =>
    saveCollateral(path, options, output),
  );
  const config = collateral
    .command("config")
    .description("print the configuration that is in force and where each value came from; asks nobody")
    .option("--json", "as JSON");
  addCollateralFlags(config).action((options: CollateralFlags & { json?: boolean }) =>
    printConfiguration(options, output),
  );
}

async function printConfiguration(options: CollateralFlags & { json?: boolean }, output: Output): Promise<void> {
  const { readConfiguration } = await import("../collateral/read-configuration.ts");
  const { configurationLines, shownConfiguration } = await import("../collateral/configuration-report.ts");
  const configuration = readConfiguration(options, output);
  const settings = shownConfiguration(configuration);
  if (options.json) output.json({ settings, warnings: configuration.warnings });
  else for (const line of configurationLines(settings)) output.line(printable(line));
}

async function saveCollateral(path: string, options: FetchOptions, output: Output): Promise<void> {
  const { fetchCollateral, trustedRoots } = await import("../collateral/fetch-collateral.ts");
  const { readQuoteInput } = await import("../input/quote-input.ts");
  const { collateralJson } = await import("@confcom/quoting/software");
  const input = readQuoteInput(path);
  const { collateral, parts, quote } = await fetchCollateral(input, options, trustedRoots(options.trustRoot), output);
  if (quote !== undefined) {
    output.note(
      "warning: the quote has no PCK certificate, and the nine fields have no place for it: it verifies only",
    );
    output.note("  where `confcom verify` can ask a source for the certificate");
  }
  writeResult(output, options.out, collateralJson(collateral));
  if (options.out === "-") return;
  const fetched = parts.map(({ answer, source, stale, fromCache, facts }) => ({
    kind: answer.kind,
    source,
    fromCache,
    stale,
    nextUpdate: new Date(facts.nextUpdate).toISOString(),
  }));
  if (options.json) output.json({ written: options.out, parts: fetched });
  else {
    for (const { kind, source, fromCache, nextUpdate } of fetched)
      output.line(`${kind} until ${nextUpdate} from ${printable(source)}${fromCache ? " (cached)" : ""}`);
    output.line(options.out);
  }
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
