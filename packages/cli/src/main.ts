import { Command, CommanderError } from "commander";
import { CommandError } from "./command-error.ts";
import { ExitCode } from "./exit-code.ts";
import { describeFailure, failureLines } from "./failure.ts";
import { type Output, processOutput } from "./terminal/output.ts";
import { VERSION } from "./version.ts";

const REGISTRY: readonly (() => Promise<{ register(program: Command, output: Output): void }>)[] = [
  () => import("./commands/quote-helper.ts"),
  () => import("./commands/quote.ts"),
  () => import("./commands/inspect.ts"),
  () => import("./commands/verify.ts"),
  () => import("./commands/report.ts"),
  () => import("./commands/collateral.ts"),
  () => import("./commands/probe.ts"),
  () => import("./commands/demo.ts"),
];

const HELP_END = `
Exit status: 0 done, 1 the answer is no, 2 quote not verified, 64 usage, 65 bad input, 69 service unreachable,
70 internal error, 73 cannot write, 76 request refused, 78 state or configuration unusable.`;

async function buildProgram(output: Output): Promise<Command> {
  const program = new Command("confcom")
    .description("Attestation for confidential workloads: make, inspect and verify SGX and TDX quotes.")
    .version(VERSION)
    .showHelpAfterError("(confcom help COMMAND shows the options)")
    .addHelpText("after", HELP_END)
    .exitOverride()
    .configureOutput({ writeErr: (text) => output.note(text.trimEnd()) });
  for (const load of REGISTRY) (await load()).register(program, output);
  for (const command of program.commands) makeStrict(command);
  return program;
}

function makeStrict(command: Command): void {
  command.allowExcessArguments(false).exitOverride();
  for (const child of command.commands) makeStrict(child);
}

async function run(argv: readonly string[]): Promise<number> {
  const output = processOutput();
  const json = argv.includes("--json");
  try {
    const program = await buildProgram(output);
    await program.parseAsync(argv, { from: "user" });
    return Number(process.exitCode ?? ExitCode.OK);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
    if (isBrokenPipe(error)) return ExitCode.OK;
    const failure = await describeFailure(error);
    if (json) output.json({ error: failure });
    else for (const line of failureLines(failure, output.style)) output.note(line);
    if (failure.exitCode === ExitCode.INTERNAL && error instanceof Error && !(error instanceof CommandError)) {
      output.note(error.stack ?? "");
    }
    return failure.exitCode;
  }
}

/** A reader that goes away (`confcom inspect … | head`) is no failure worth a word. */
function isBrokenPipe(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "EPIPE" &&
    "syscall" in error &&
    error.syscall === "write"
  );
}

process.exitCode = await run(process.argv.slice(2));
