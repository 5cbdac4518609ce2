import { parseQuantity } from "../../../node-status/quantity.ts";

const NANO = 1_000_000_000n;
const MIB = 1n << 20n;

/** A quantity in whole units, rounded up; 0 for what is no quantity or negative. */
export function wholeQuantity(text: string | undefined): bigint {
  const value = text === undefined ? undefined : parseQuantity(text);
  return value === undefined || value < 0n ? 0n : (value + NANO - 1n) / NANO;
}

/** Bytes in whole MiB, rounded up. */
export function mibOfBytes(bytes: bigint): bigint {
  return (bytes + MIB - 1n) / MIB;
}
