import { Command, CommanderError } from "commander";
import { CommandError } from "./command-error.ts";
import { ExitCode } from "./exit-code.ts";
import { describeFailure, failureLines } from "./failure.ts";
import { type Output, processOutput } from "./terminal/output.ts";
import { printable } from "./terminal/printable.ts";
import { isWriteFailure, type WriteFailure } from "./terminal/write-failure.ts";
import { VERSION } from "./version.ts";

interface CommandModule {
  register(program: Command, output: Output): void;
}

/** Command → its module, in the order of the help text. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  "quote-helper": () => import("./commands/quote-helper.ts"),
  quote: () => import("./commands/quote.ts"),
  inspect: () => import("./commands/inspect.ts"),
  verify: () => import("./commands/verify.ts"),
  report: () => import("./commands/report.ts"),
  collateral: () => import("./commands/collateral.ts"),
  pccs: () => import("./commands/pccs.ts"),
  probe: () => import("./commands/probe.ts"),
  "device-plugin": () => import("./commands/device-plugin.ts"),
  "node-status": () => import("./commands/node-status.ts"),
  webhook: () => import("./commands/webhook.ts"),
  manifests: () => import("./commands/manifests.ts"),
  addon: () => import("./commands/addon.ts"),
  "enable-addons": () => import("./commands/enable-addons.ts"),
  "disable-addons": () => import("./commands/disable-addons.ts"),
  demo: () => import("./commands/demo.ts"),
};

const HELP_END = `
Exit status: 0 done, 1 the answer is no, 2 quote not verified, 64 usage, 65 bad input, 69 service unreachable,
70 internal error, 73 cannot write, 76 request refused, 78 state or configuration unusable.`;

/** Only the command that is named is loaded, which the daemons feel in memory; anything else may need to know them all. */
async function modulesFor(name: string | undefined): Promise<CommandModule[]> {
  const named = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const loaders = named === undefined ? Object.values(COMMANDS) : [named];
  return Promise.all(loaders.map((load) => load()));
}

async function buildProgram(name: string | undefined, output: Output): Promise<Command> {
  const program = new Command("confcom")
    .description("Attestation for confidential workloads: make, inspect and verify SGX and TDX quotes.")
    .version(VERSION)
    .showHelpAfterError("(confcom COMMAND --help shows the options)")
    .addHelpText("after", HELP_END)
    .exitOverride()
    .configureOutput({
      // Written before the call returns, as everything else: `confcom --help | head` is no crash.
      writeOut: (text) => output.raw(new TextEncoder().encode(text)),
      writeErr: (text) => output.note(printable(text.trimEnd(), "\n")),
    });
  for (const module of await modulesFor(name)) module.register(program, output);
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
    const program = await buildProgram(argv[0], output);
    await program.parseAsync(argv, { from: "user" });
    return Number(process.exitCode ?? ExitCode.OK);
  } catch (error) {
    return await reportFailure(error, json, output);
  }
}

/** Says what went wrong, if anybody still listens, and what the exit status is. */
async function reportFailure(error: unknown, json: boolean, output: Output): Promise<number> {
  if (isWriteFailure(error)) return statusWhenUnread(error, output);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.OK;
    const usage = { code: "CLI_USAGE", message: error.message, exitCode: ExitCode.USAGE };
    return attempt(() => json && output.json({ error: usage }), ExitCode.USAGE);
  }
  const failure = await describeFailure(error);
  return attempt(() => {
    if (json) output.json({ error: failure });
    else for (const line of failureLines(failure, output.style)) output.note(line);
    if (failure.exitCode === ExitCode.INTERNAL && error instanceof Error && !(error instanceof CommandError)) {
      output.note(error.stack ?? "");
    }
  }, failure.exitCode);
}

function attempt(print: () => void, status: number): number {
  try {
    print();
  } catch (error) {
    if (!isWriteFailure(error)) throw error;
  }
  return status;
}

/**
 * The exit status when standard output could not be written: that of the answer where there is one already, because
 * nobody may read "verified" into a status that only means "not printed".
 */
function statusWhenUnread(error: WriteFailure, output: Output): number {
  if (error.code !== "EPIPE") attempt(() => output.note(`error: the output cannot be written: ${error.message}`), 0);
  const answer = Number(process.exitCode ?? ExitCode.OK);
  if (answer !== ExitCode.OK) return answer;
  // A reader that goes away (`confcom inspect … | head`) is no failure of a command that only shows something.
  return error.code === "EPIPE" ? ExitCode.OK : ExitCode.CANNOT_CREATE;
}

process.exitCode = await run(process.argv.slice(2));
