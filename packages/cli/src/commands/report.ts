import { randomBytes } from "node:crypto";
import { ATTRIBUTE_FLAGS, decodeReport, REPORT_SIZE, TARGET_INFO_SIZE, toHex } from "@confcom/sgx";
import { type Command, Option } from "commander";
import { ExitCode } from "../exit-code.ts";
import { readSizedArgument } from "../input/sized-argument.ts";
import { reportBodyNode } from "../inspect/quote-tree.ts";
import { writeResult } from "../output-file.ts";
import { checkReportLines } from "../report-lines.ts";
import type { Output } from "../terminal/output.ts";
import { drawTree } from "../terminal/tree.ts";
import { parseU16, usage } from "../usage-error.ts";

interface CreateOptions {
  targetInfo?: string;
  socket?: string;
  reportData: string;
  mrenclave?: string;
  mrsigner?: string;
  isvProdId: string;
  isvSvn: string;
  kss?: boolean;
  debug?: boolean;
  cpusvn: string;
  keyId?: string;
  state?: string;
  out: string;
  json?: boolean;
}

interface VerifyOptions {
  targetInfo?: string;
  jsonl?: string;
  state?: string;
  json?: boolean;
}

/** `confcom report create|verify`: EREPORT and its check, on the simulated CPU. */
export function register(program: Command, output: Output): void {
  const report = program.command("report").description("make and check enclave reports on the simulated CPU");
  report
    .command("create")
    .description("make a report in a software enclave for the enclave that a target info names")
    .option("--target-info <hex|file>", "512 bytes: whom the report is for (what init_quote_ex returns)")
    .option("--socket <path>", "ask the quote helper on this socket for its target info instead")
    .option("--report-data <hex|file>", "up to 64 bytes for the enclave to vouch for", "")
    .option("--mrenclave <hex>", "32 bytes (default: SHA-256 of a fixed text)")
    .option("--mrsigner <hex>", "32 bytes (default: SHA-256 of a fixed text)")
    .option("--isv-prod-id <number>", "product id", "0")
    .option("--isv-svn <number>", "security version", "0")
    .option("--kss", "with key separation: CONFIGID, CONFIGSVN and family fields are set")
    .option("--debug", "a DEBUG enclave")
    .addOption(
      new Option("--cpusvn <name>", "the CPU's security version")
        .choices(["default", "upgraded", "downgraded"])
        .default("default"),
    )
    .option("--key-id <hex|random>", "32 bytes (default: what the SDK's simulation writes)")
    .option("--state <dir>", "use the CPU of this state directory (needed for the private profile)")
    .option("--out <file>", "where to write the 432 bytes; - prints hexadecimal", "-")
    .option("--json", "print target info and report as JSON")
    .action((options: CreateOptions) => create(options, output));
  report
    .command("verify")
    .description("check a report's MAC as the target enclave would")
    .argument("[report]", "432 bytes: hexadecimal, a file, or -")
    .option("--target-info <hex|file>", "512 bytes: the enclave that the report is for")
    .option("--jsonl <file>", 'lines {"targetInfo":hex,"report":hex}; prints {"mac":"valid"|"invalid"} for each')
    .option("--state <dir>", "use the CPU of this state directory (needed for the private profile)")
    .option("--json", "print the answer as JSON")
    .action((argument: string | undefined, options: VerifyOptions) => verify(argument, options, output));
}

async function secretsOf(stateDirectory: string | undefined) {
  if (stateDirectory === undefined) return undefined;
  const { readReportSecrets } = await import("../quote-helper/state.ts");
  return readReportSecrets(stateDirectory);
}

async function targetInfoFor(options: CreateOptions): Promise<Uint8Array> {
  if (options.targetInfo !== undefined) {
    return readSizedArgument(options.targetInfo, TARGET_INFO_SIZE, "the target info");
  }
  if (options.socket === undefined) throw usage("give --target-info, or --socket to ask a quote helper for it");
  const { initQuoteOver } = await import("../aesm-connection.ts");
  return (await initQuoteOver(options.socket)).targetInfo;
}

async function create(options: CreateOptions, output: Output): Promise<void> {
  const { createDemoEnclave } = await import("../software-enclave.ts");
  const targetInfo = await targetInfoFor(options);
  const secrets = await secretsOf(options.state);
  const flags =
    ATTRIBUTE_FLAGS.INIT |
    ATTRIBUTE_FLAGS.MODE64BIT |
    (options.debug ? ATTRIBUTE_FLAGS.DEBUG : 0n) |
    (options.kss ? ATTRIBUTE_FLAGS.KSS : 0n);
  const enclave = createDemoEnclave({
    flags,
    isvProdId: parseU16(options.isvProdId, "--isv-prod-id"),
    isvSvn: parseU16(options.isvSvn, "--isv-svn"),
    cpuSvn: options.cpusvn,
    ...(options.mrenclave === undefined ? {} : { mrEnclave: readSizedArgument(options.mrenclave, 32, "MRENCLAVE") }),
    ...(options.mrsigner === undefined ? {} : { mrSigner: readSizedArgument(options.mrsigner, 32, "MRSIGNER") }),
    ...(options.keyId === undefined ? {} : { keyId: keyIdFrom(options.keyId) }),
    ...(secrets === undefined ? {} : { secrets }),
  });
  const report = enclave.report(targetInfo, readSizedArgument(options.reportData, 64, "the report data", true));
  if (options.json) output.json({ targetInfo, report });
  else if (options.out === "-") output.line(toHex(report));
  if (options.out !== "-") writeResult(output, options.out, report);
}

function keyIdFrom(text: string): Uint8Array {
  return text === "random" ? new Uint8Array(randomBytes(32)) : readSizedArgument(text, 32, "KEYID");
}

async function verify(argument: string | undefined, options: VerifyOptions, output: Output): Promise<void> {
  const { checkReportMac } = await import("@confcom/quoting/software");
  const secrets = await secretsOf(options.state);
  const check = (targetInfo: Uint8Array, report: Uint8Array) => checkReportMac(targetInfo, report, secrets);
  if (options.jsonl !== undefined) {
    if (argument !== undefined) throw usage("give a report or --jsonl FILE, not both", "report verify");
    process.exitCode = ExitCode.NEGATIVE;
    if (checkReportLines(options.jsonl, check, (line) => output.line(line))) process.exitCode = ExitCode.OK;
    return;
  }
  if (argument === undefined || options.targetInfo === undefined) {
    throw usage("give a report and --target-info, or --jsonl FILE");
  }
  const report = readSizedArgument(argument, REPORT_SIZE, "the report");
  const valid = check(readSizedArgument(options.targetInfo, TARGET_INFO_SIZE, "the target info"), report);
  process.exitCode = valid ? ExitCode.OK : ExitCode.NEGATIVE;
  if (options.json) output.json({ mac: valid ? "valid" : "invalid", report: decodeReport(report) });
  else {
    const { style } = output;
    output.line(valid ? style.good("MAC valid: made for this enclave on the simulated CPU") : style.bad("MAC invalid"));
    for (const line of drawTree(reportBodyNode("report", decodeReport(report).body), style)) output.line(line);
  }
}
