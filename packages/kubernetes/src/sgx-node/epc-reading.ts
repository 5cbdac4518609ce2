export const MIB = 1_048_576;

/** EPC of one NUMA node. */
export interface NumaEpc {
  readonly node: number;
  readonly bytes: number;
  /** `bytes` in whole MiB, rounded down. */
  readonly mib: number;
}

/** What one source says: the EPC, or why it says nothing. `why` is a sentence for `/status` in both cases. */
export type EpcReading =
  | { readonly usable: true; readonly why: string; readonly bytes: number; readonly perNumaNode: readonly NumaEpc[] }
  | { readonly usable: false; readonly why: string };

/** 16 TiB: sixteen times what the largest servers have. More is taken for a mistake. */
export const MAX_EPC_BYTES = 2 ** 44;

/** A decimal number of bytes, or the reason why a text is none; the text comes from outside and may be anything. */
export function readEpcBytes(text: string): number | string {
  const trimmed = text.trim();
  if (!/^\d+$/.test(trimmed)) return `${quoted(trimmed)} is not a number of bytes`;
  // 20 digits are more than any 64-bit number has.
  if (trimmed.length > 20 || BigInt(trimmed) > BigInt(MAX_EPC_BYTES)) {
    return `${quoted(trimmed)} bytes cannot be: more than ${MAX_EPC_BYTES}`;
  }
  return Number(trimmed);
}

/** At most 40 characters of a text from outside, without control characters. */
export function quoted(text: string): string {
  const shown = text.slice(0, 40).replace(/[^ -~]/g, "?");
  return `"${shown}${text.length > 40 ? "..." : ""}"`;
}
