import { type Collateral, trustedRootFromCertificate, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { CommandError } from "../command-error.ts";
import { readInput } from "../input/read-input.ts";

const LINES_LIMIT = 512 * 1024 * 1024;

interface VerificationCase {
  readonly name: string;
  /** Seconds since 1970. */
  readonly date: number;
  /** base64 */
  readonly quote: string;
  readonly collateral: Collateral;
  /** PEM */
  readonly trustedRoot: string;
}

/**
 * Verifies one case a line (`name`, `date`, `quote`, `collateral`, `trustedRoot`) and prints for each
 * `{"name","ret","result","collateralExpired","advisories"}`. Throws CommandError on a line that is no case.
 */
export function verifyCaseLines(path: string, print: (line: string) => void): void {
  const text = new TextDecoder().decode(readInput(path, "the cases", LINES_LIMIT));
  text.split("\n").forEach((line, i) => {
    if (line.trim() !== "") print(JSON.stringify(verifyCase(line, i + 1)));
  });
}

function verifyCase(line: string, number: number): Record<string, unknown> {
  try {
    const value = JSON.parse(line) as VerificationCase;
    const result = verifyQuote(new Uint8Array(Buffer.from(value.quote, "base64")), value.collateral, {
      now: new Date(value.date * 1000),
      trustedRoots: [trustedRootFromCertificate(value.trustedRoot)],
      crypto: nodeCrypto,
    });
    return {
      name: value.name,
      ret: `0x${result.ret.toString(16).padStart(4, "0")}`,
      result: result.result,
      collateralExpired: result.collateralExpired ? 1 : 0,
      advisories: result.supplemental?.advisoryList ?? null,
    };
  } catch (cause) {
    throw new CommandError(
      "CLI_INPUT_MALFORMED",
      `line ${number} is not a verification case: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Each line has "name", "date", "quote" (base64), "collateral" and "trustedRoot" (PEM).',
      { cause },
    );
  }
}
