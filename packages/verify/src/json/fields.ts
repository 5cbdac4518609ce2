import { fromHex } from "@confcom/sgx";
import { parseIsoDate } from "./date.ts";
import type { JsonObject, JsonValue } from "./value.ts";

/** A field that is not there, one that is there and wrong, or its value. */
export type Field<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly missing: boolean };

const MISSING: Field<never> = { ok: false, missing: true };
const INVALID: Field<never> = { ok: false, missing: false };

function found<T>(value: T): Field<T> {
  return { ok: true, value };
}

/** Text as the reference verifier reads it: up to the first NUL. */
function untilNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

function field<T>(object: JsonObject, name: string, read: (value: JsonValue) => T | undefined): Field<T> {
  const value = object.get(name);
  if (value === undefined) return MISSING;
  const result = read(value);
  return result === undefined ? INVALID : found(result);
}

export function stringField(object: JsonObject, name: string): Field<string> {
  return field(object, name, (value) => (typeof value === "string" ? untilNul(value) : undefined));
}

export function stringListField(object: JsonObject, name: string): Field<readonly string[]> {
  return field(object, name, (value) => {
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) return undefined;
    return (value as readonly string[]).map(untilNul);
  });
}

/** Exactly `size` bytes as hexadecimal of either case. */
export function hexField(object: JsonObject, name: string, size: number): Field<Uint8Array> {
  return field(object, name, (value) => {
    if (typeof value !== "string") return undefined;
    const text = untilNul(value);
    return text.length === size * 2 && /^[0-9a-fA-F]*$/.test(text) ? fromHex(text) : undefined;
  });
}

/** Seconds since 1970. */
export function dateField(object: JsonObject, name: string): Field<number> {
  return field(object, name, (value) => (typeof value === "string" ? parseIsoDate(untilNul(value)) : undefined));
}

/** An integer of 0 to 2^32 - 1. */
export function uintField(object: JsonObject, name: string): Field<number> {
  return field(object, name, (value) =>
    typeof value === "number" && value >= 0 && value <= 0xffffffff ? value : undefined,
  );
}

/** An integer of -2^31 to 2^31 - 1. */
export function intField(object: JsonObject, name: string): Field<number> {
  return field(object, name, (value) =>
    typeof value === "number" && value >= -0x80000000 && value <= 0x7fffffff ? value : undefined,
  );
}

/**
 * The `signature` of a signed document: a string of 128 characters, read as 64 bytes of hexadecimal. Undefined if it is
 * no such string; no bytes if its characters are no hexadecimal, which is then a wrong signature, not a wrong form.
 */
export function signatureBytes(value: JsonValue): Uint8Array | undefined {
  if (typeof value !== "string" || new TextEncoder().encode(value).length !== 128) return undefined;
  return /^[0-9a-fA-F]{128}$/.test(value) ? fromHex(value) : new Uint8Array(0);
}
