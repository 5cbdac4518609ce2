import { createHash } from "node:crypto";
import { bytesEqual } from "@confcom/sgx";

/**
 * Frame of the provisioning state files: one JSON object with the kind of file, the SHA-256 of its content and the
 * content, so that a bit lost on disk is told from a value someone chose. It guards against damage, not against an
 * attacker, who could as well read the keys.
 */
export function encodeStateRecord(kind: string, content: unknown): Uint8Array {
  const text = JSON.stringify(content);
  const sha256 = createHash("sha256").update(text).digest("hex");
  return new TextEncoder().encode(`{"kind":${JSON.stringify(kind)},"sha256":"${sha256}","content":${text}}\n`);
}

/** The content, or undefined unless the bytes are exactly what {@link encodeStateRecord} wrote for this kind. */
export function decodeStateRecord(kind: string, bytes: Uint8Array): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (!isObject(parsed) || parsed.content === undefined) return undefined;
  return bytesEqual(bytes, encodeStateRecord(kind, parsed.content)) ? parsed.content : undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether every named member is a string. */
export function hasTexts<Name extends string>(
  value: unknown,
  ...names: readonly Name[]
): value is Readonly<Record<Name, string>> {
  return isObject(value) && names.every((name) => typeof value[name] === "string");
}
