import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** The last `maximumBytes` of a file, from the beginning of a line; empty if there is no such file. */
export function logTail(path: string, maximumBytes: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const size = fstatSync(file).size;
    const length = Math.min(size, maximumBytes);
    const bytes = Buffer.alloc(length);
    const read = readSync(file, bytes, 0, length, size - length);
    const text = bytes.toString("utf8", 0, read);
    return length < size ? text.slice(text.indexOf("\n") + 1) : text;
  } finally {
    closeSync(file);
  }
}
