import process from "node:process";
import { createInterface } from "node:readline/promises";

/** Asks a person; a script, which has no terminal, has decided already. */
export async function confirmed(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return true;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} (y/n): `)).trim());
  } finally {
    asking.close();
  }
}
