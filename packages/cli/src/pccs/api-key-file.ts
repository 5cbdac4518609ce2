import { readFileSync } from "node:fs";
import { messageOf } from "@confcom/collateral";
import { optionFile } from "./option-file.ts";

/** Read for every request: a key is changed by replacing the file. While there is none to be read, the last one holds. */
export function followedApiKey(file: string, warn: (line: string) => void): () => string {
  let key = optionFile("--api-key-file", file).trim();
  let lost = false;
  return () => {
    try {
      key = readFileSync(file, "utf8").trim();
      lost = false;
    } catch (error) {
      if (!lost) warn(`--api-key-file cannot be read, the last key holds: ${messageOf(error)}`);
      lost = true;
    }
    return key;
  };
}
