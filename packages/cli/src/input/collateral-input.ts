import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Collateral, QveCollateral } from "@confcom/verify";
import { CommandError } from "../command-error.ts";
import { readInput } from "./read-input.ts";

/** Reads collateral: a JSON file with the nine fields (or Intel's seven), or a directory that `collateral export` wrote. */
export function readCollateral(path: string): Collateral | QveCollateral {
  const file = path !== "-" && existsSync(path) && statSync(path).isDirectory() ? join(path, "collateral.json") : path;
  const text = new TextDecoder().decode(readInput(file, "the collateral"));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) throw new Error("it is not a JSON object");
    return value as Collateral | QveCollateral;
  } catch (cause) {
    throw new CommandError(
      "CLI_INPUT_MALFORMED",
      `${file} is not collateral: ${cause instanceof Error ? cause.message : String(cause)}`,
      "Pass the JSON that `confcom collateral export --out FILE.json` writes, or its directory.",
      { cause },
    );
  }
}
