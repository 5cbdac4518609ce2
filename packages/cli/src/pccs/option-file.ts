import { readFileSync } from "node:fs";
import { usage } from "../usage-error.ts";

/** The text of a file that an option names, as `read` takes it. What fails, there or here, says which option and file. */
export function optionFile(option: string, path: string): string;
export function optionFile<T>(option: string, path: string, read: (text: string) => T): T;
export function optionFile(option: string, path: string, read: (text: string) => unknown = (text) => text): unknown {
  try {
    return read(readFileSync(path, "utf8"));
  } catch (error) {
    throw usage(`${option} ${path}: ${error instanceof Error ? error.message : String(error)}`, "pccs");
  }
}
