import { writeSync } from "node:fs";
import { chooseStyle, type Style } from "./style.ts";

/** Where a command prints, and how. */
export interface Output {
  readonly style: Style;
  line(text?: string): void;
  /** One JSON document on standard output. */
  json(value: unknown): void;
  /** One JSON document on one line, for readers that take lines. */
  jsonLine(value: unknown): void;
  raw(bytes: Uint8Array): void;
  note(text: string): void;
}

/** Byte fields as lower-case hexadecimal, 64-bit numbers as decimal text: what `--json` prints. */
export function jsonReplacer(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  if (typeof value === "bigint") return value.toString();
  // A Buffer serialises itself before the replacer sees it.
  if (typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value) {
    return Buffer.from(value.data as number[]).toString("hex");
  }
  return value;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      // A full pipe is waited for: output of a command is worth more than its speed.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Output on the process's own streams, written before the call returns. */
export function processOutput(): Output {
  const style = chooseStyle(process.env, process.stdout.isTTY === true);
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    style,
    line: (text = "") => writeAll(1, encode(`${text}\n`)),
    json: (value) => writeAll(1, encode(`${JSON.stringify(value, jsonReplacer, 2)}\n`)),
    jsonLine: (value) => writeAll(1, encode(`${JSON.stringify(value, jsonReplacer)}\n`)),
    raw: (bytes) => writeAll(1, bytes),
    note: (text) => writeAll(2, encode(`${text}\n`)),
  };
}
