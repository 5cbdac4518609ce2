/** Powers of ten of the decimal suffixes, and of two of the binary ones. */
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

const QUANTITY = /^([+-]?)(\d{1,64})?(?:\.(\d{0,64}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/**
 * A Kubernetes quantity in units of 10⁻⁹, rounded away from zero. The API server writes quantities in its own canonical
 * form (100000 comes back as "100k"), so that they are compared by value. Answers undefined for what is no quantity.
 */
export function parseQuantity(text: string): bigint | undefined {
  const match = QUANTITY.exec(text);
  const [, sign, whole = "", fraction = "", suffix = "", exponent] = match ?? [];
  if (match === null || whole + fraction === "") return undefined;
  const binary = BINARY[suffix];
  let numerator = BigInt(whole + fraction);
  let denominator = 10n ** BigInt(fraction.length);
  if (binary !== undefined) numerator <<= BigInt(binary);
  const power = 9 + (exponent === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponent));
  if (power >= 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  const magnitude = (numerator + denominator - 1n) / denominator;
  return sign === "-" ? -magnitude : magnitude;
}

/** Whether both are quantities of the same value. */
export function sameQuantity(a: string, b: string): boolean {
  const value = parseQuantity(a);
  return value !== undefined && value === parseQuantity(b);
}

/** What {@link parseQuantity} answers for 1. */
export const ONE = 1_000_000_000n;

export const MIB = 1n << 20n;

/** A quantity in whole units, rounded up; 0 for what is no quantity or negative. */
export function wholeQuantity(text: string | undefined): bigint {
  const value = text === undefined ? undefined : parseQuantity(text);
  return value === undefined || value < 0n ? 0n : (value + ONE - 1n) / ONE;
}

/** Bytes in whole MiB, rounded up. */
export function mibOfBytes(bytes: bigint): bigint {
  return (bytes + MIB - 1n) / MIB;
}
