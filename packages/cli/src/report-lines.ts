import { fromHex, REPORT_SIZE, TARGET_INFO_SIZE } from "@confcom/sgx";
import { CommandError } from "./command-error.ts";
import { readInput } from "./input/read-input.ts";

/** A file of reports may be large; it is still read whole, up to this many bytes. */
const LINES_LIMIT = 512 * 1024 * 1024;

/**
 * Reads lines `{"targetInfo":hex,"report":hex}` and prints `{"mac":"valid"|"invalid"}` for each, in order.
 * True when every report is valid. Throws CommandError `CLI_INPUT_MALFORMED`, naming the line.
 */
export function checkReportLines(
  path: string,
  check: (targetInfo: Uint8Array, report: Uint8Array) => boolean,
  print: (line: string) => void,
): boolean {
  const text = new TextDecoder().decode(readInput(path, "the report lines", LINES_LIMIT));
  let allValid = true;
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const { targetInfo, report } = parseLine(line, i + 1);
    const valid = check(targetInfo, report);
    allValid &&= valid;
    print(JSON.stringify({ mac: valid ? "valid" : "invalid" }));
  });
  return allValid;
}

function parseLine(line: string, number: number): { targetInfo: Uint8Array; report: Uint8Array } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null) throw new Error("it is not a JSON object");
    const { targetInfo, report } = value as { targetInfo?: unknown; report?: unknown };
    if (typeof targetInfo !== "string" || typeof report !== "string") {
      throw new Error('"targetInfo" and "report" must be hexadecimal text');
    }
    return { targetInfo: fromHex(targetInfo, TARGET_INFO_SIZE), report: fromHex(report, REPORT_SIZE) };
  } catch (cause) {
    throw new CommandError(
      "CLI_INPUT_MALFORMED",
      `line ${number} is not a report line: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Each line is {"targetInfo": 1024 hex digits, "report": 864 hex digits}.',
      { cause },
    );
  }
}
