import { PlatformCollateralRefusal } from "./platform-collateral.ts";

/** Members of a parsed JSON document that nobody has checked. Each failure is a refusal with 400 that names the member. */

export function malformed(where: string, what: string): PlatformCollateralRefusal {
  return new PlatformCollateralRefusal(400, `${where} ${what}`);
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function object(value: unknown, where: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(where, "is no object");
  return value as JsonObject;
}

export function array(value: unknown, where: string, maximum: number): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(where, "is no array");
  if (value.length > maximum) throw malformed(where, `has ${value.length} elements, more than ${maximum}`);
  return value;
}

/** Own members only: `__proto__` and the like are nothing. */
export function member(value: JsonObject, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export function text(value: unknown, where: string, maximum: number): string {
  if (typeof value !== "string") throw malformed(where, "is no text");
  if (value.length > maximum) throw malformed(where, `has ${value.length} characters, more than ${maximum}`);
  return value;
}

/** Empty where the member is missing, null or empty. */
export function optionalText(value: unknown, where: string, maximum: number): string {
  return value === undefined || value === null ? "" : text(value, where, maximum);
}

/** So many hexadecimal digits, in upper case. */
export function hex(value: unknown, where: string, digits: number): string {
  const found = text(value, where, digits);
  if (found.length !== digits || !/^[0-9a-fA-F]*$/.test(found))
    throw malformed(where, `is not ${digits} hexadecimal digits`);
  return found.toUpperCase();
}

/** As {@link hex}, or empty. */
export function optionalHex(value: unknown, where: string, digits: number): string {
  return value === undefined || value === null || value === "" ? "" : hex(value, where, digits);
}

export function hexBytes(value: unknown, where: string, maximum: number): Uint8Array {
  const found = text(value, where, 2 * maximum);
  if (found.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(found)) throw malformed(where, "is not hexadecimal");
  return Uint8Array.from(Buffer.from(found, "hex"));
}

/** URL-encoded PEM; PEM that is not encoded stays as it is. */
export function pem(value: unknown, where: string, maximum: number): string {
  const found = text(value, where, 3 * maximum);
  let decoded: string;
  try {
    decoded = found.includes("%") ? decodeURIComponent(found) : found;
  } catch {
    throw malformed(where, "is not URL-encoded");
  }
  if (!decoded.startsWith("-----BEGIN CERTIFICATE-----")) throw malformed(where, "is no PEM certificate");
  return decoded;
}
