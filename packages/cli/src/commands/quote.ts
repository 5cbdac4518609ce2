import { randomBytes } from "node:crypto";
import { AesmClient, DEFAULT_SOCKET_PATH } from "@confcom/aesm";
import { decodeQeReportInfo, encodeQeReportInfo, REPORT_SIZE, toHex } from "@confcom/sgx";
import { type Command, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";
import { readSizedArgument } from "../input/sized-argument.ts";
import { writeResult } from "../output-file.ts";
import { qeReportMatches } from "../qe-report-check.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger, usage } from "../usage-error.ts";

interface QuoteCommandOptions {
  report?: string;
  reportData?: string;
  socket: string;
  timeout: string;
  out: string;
  format?: "binary" | "hex" | "base64";
  json?: boolean;
}

/** `confcom quote`: a report becomes a quote, through the AESM socket. */
export function register(program: Command, output: Output): void {
  program
    .command("quote")
    .description("get a quote from a quote helper, for a report or for a software enclave's report data")
    .option("--report <hex|file>", "432 bytes: a report for the helper's quoting enclave")
    .option("--report-data <hex|file>", "up to 64 bytes: a software enclave reports them first")
    .option("--socket <path>", "the AESM socket", DEFAULT_SOCKET_PATH)
    .option("--timeout <ms>", "deadline of each call", "15000")
    .option("--out <file>", "where to write the quote, - for standard output", "-")
    .addOption(
      new Option("--format <name>", "default: binary into a file, hexadecimal on standard output").choices([
        "binary",
        "hex",
        "base64",
      ]),
    )
    .option("--json", "print quote, key id and what was checked as JSON")
    .action((options: QuoteCommandOptions) => quote(options, output));
}

async function quote(options: QuoteCommandOptions, output: Output): Promise<void> {
  if ((options.report === undefined) === (options.reportData === undefined)) {
    throw usage("give either --report or --report-data", "quote");
  }
  const timeoutMs = parseInteger(options.timeout, "--timeout", 1, 600_000);
  const client = new AesmClient({ socketPath: options.socket, timeoutMs });
  const made =
    options.report !== undefined
      ? await quoteReport(client, readSizedArgument(options.report, REPORT_SIZE, "the report"))
      : await quoteReportData(client, readSizedArgument(options.reportData ?? "", 64, "the report data", true));
  if (options.out !== "-" || !options.json) writeResult(output, options.out, formatted(made.quote, options));
  if (options.json) output.json({ bytes: made.quote.length, ...made });
  else if (options.out !== "-") output.line(`${options.out}: ${made.quote.length} bytes, key ${toHex(made.pubKeyId)}`);
}

function formatted(bytes: Uint8Array, options: QuoteCommandOptions): Uint8Array {
  const format = options.format ?? (options.out === "-" ? "hex" : "binary");
  if (format === "binary") return bytes;
  return new TextEncoder().encode(`${Buffer.from(bytes).toString(format)}\n`);
}

interface MadeQuote {
  readonly quote: Uint8Array;
  readonly pubKeyId: Uint8Array;
  /** "checked" when the QE's own report matched our nonce; nobody can check it for a foreign enclave's report. */
  readonly qeReport: "checked" | "not asked for";
}

async function quoteReport(client: AesmClient, report: Uint8Array): Promise<MadeQuote> {
  const { quote: bytes, pubKeyId } = await client.quote(() => report);
  return { quote: bytes, pubKeyId, qeReport: "not asked for" };
}

/** The software enclave also has the QE report to it over nonce and quote, which shows who answered on the socket. */
async function quoteReportData(client: AesmClient, reportData: Uint8Array): Promise<MadeQuote> {
  const { createDemoEnclave } = await import("../software-enclave.ts");
  const enclave = createDemoEnclave();
  const nonce = new Uint8Array(randomBytes(16));
  const qeReportInfo = encodeQeReportInfo({
    nonce,
    appEnclaveTargetInfo: enclave.targetInfo,
    qeReport: new Uint8Array(REPORT_SIZE),
  });
  const made = await client.quote((targetInfo) => enclave.report(targetInfo, reportData), { qeReportInfo });
  const { qeReport } = decodeQeReportInfo(made.qeReportInfo ?? new Uint8Array());
  if (!qeReportMatches(qeReport, nonce, made.quote, enclave)) {
    throw new CommandError(
      "CLI_QE_REPORT",
      "the quoting enclave's report does not match the nonce and the quote",
      "Something other than the quote helper may be answering on the socket, or it runs with --cpu private, whose reports only enclaves of its own state can check.",
      { exitCode: ExitCode.REFUSED },
    );
  }
  return { quote: made.quote, pubKeyId: made.pubKeyId, qeReport: "checked" };
}
