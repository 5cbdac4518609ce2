/**
 * Numbers as RapidJSON reads and writes them, which is what the signatures over TCB info and QE identity are checked
 * against (spec: DCAP §9). Both documents use small integers only; the rest is here so that nothing else is accepted.
 */

function power10(exponent: number): number {
  return Number(`1e${exponent}`);
}

/** RapidJSON's default conversion of a decimal to a double: not always the nearest one. */
function scale(significand: number, exponent: number): number {
  if (exponent < -308 - 308) return 0;
  if (exponent < -308) return significand / 1e308 / power10(-exponent - 308);
  return exponent >= 0 ? significand * power10(Math.min(exponent, 308)) : significand / power10(-exponent);
}

const MAX_UINT64 = (1n << 64n) - 1n;
const MAX_INT64_MAGNITUDE = 1n << 63n;

/** Value of a number token that has a fraction, an exponent, or more digits than 64 bits hold. Undefined if too big. */
export function rapidJsonDouble(token: string): number | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token);
  if (match === null) return undefined;
  const [, sign, integer, fraction = "", exponentText = "0"] = match as unknown as [
    string,
    string,
    string,
    string | undefined,
    string | undefined,
  ];
  const limit = sign === "-" ? MAX_INT64_MAGNITUDE : MAX_UINT64;
  // Digits go into a 64-bit integer as long as they fit, then into a double one at a time.
  let whole = 0n;
  let taken = 0;
  for (const digit of integer.length > 20 ? integer.slice(0, 20) : integer) {
    const next = whole * 10n + BigInt(digit);
    if (next > limit) break;
    whole = next;
    taken++;
  }
  let significant = Math.max(0, taken - 1);
  let value = Number(whole);
  const overflowed = taken < integer.length;
  for (const digit of integer.slice(taken)) value = value * 10 + Number(digit);
  let expFraction = 0;
  let at = 0;
  if (!overflowed) {
    for (; at < fraction.length && whole <= (1n << 53n) - 1n; at++) {
      whole = whole * 10n + BigInt(fraction[at] as string);
      expFraction--;
      if (whole !== 0n) significant++;
    }
    value = Number(whole);
  }
  for (; at < fraction.length && significant < 17; at++) {
    value = value * 10 + Number(fraction[at]);
    expFraction--;
    if (value > 0) significant++;
  }
  const exponent = Number(exponentText);
  if (exponent > 308 - expFraction) return undefined;
  const result = scale(value, Math.max(exponent, -100_000) + expFraction);
  if (!Number.isFinite(result)) return undefined;
  return sign === "-" ? -result : result;
}

function trimFraction(digits: string, places: number): string {
  if (digits.length <= places) return digits;
  const kept = digits.slice(0, places).replace(/0+$/, "");
  return kept === "" ? "0" : kept;
}

/** A double as RapidJSON's writer prints it with so many decimal places at most. */
export function writeDouble(value: number, maxDecimalPlaces: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const sign = value < 0 ? "-" : "";
  const [mantissa, exponentText] = Math.abs(value).toExponential().split("e") as [string, string];
  const digits = mantissa.replace(".", "");
  const point = Number(exponentText) + 1;
  if (digits.length <= point && point <= 21) return `${sign}${digits.padEnd(point, "0")}.0`;
  if (0 < point && point <= 21) {
    return `${sign}${digits.slice(0, point)}.${trimFraction(digits.slice(point), maxDecimalPlaces)}`;
  }
  if (-6 < point && point <= 0) return `${sign}0.${trimFraction("0".repeat(-point) + digits, maxDecimalPlaces)}`;
  if (point < -maxDecimalPlaces) return `${sign}0.0`;
  const exponent = point - 1;
  const fraction = digits.length === 1 ? "" : `.${digits.slice(1)}`;
  return `${sign}${digits[0]}${fraction}e${exponent}`;
}
