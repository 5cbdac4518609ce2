import { unusable } from "./unusable.ts";

/**
 * The text of a signed JSON document, exactly as it came: signatures are over its bytes. Looked at just so far that an
 * error page is told from a document. Fails with SOURCE_ANSWER.
 */
export function signedJsonText(body: Uint8Array, member: "tcbInfo" | "enclaveIdentity", source: string): string {
  const text = utf8Text(body, source, `the ${member} document`);
  const outer = jsonObject(text, source, `the ${member} document`);
  if (typeof outer[member] !== "object" || outer[member] === null || typeof outer.signature !== "string") {
    throw unusable(source, `the ${member} document`, `has no ${member} with a signature`);
  }
  return text;
}

export function utf8Text(body: Uint8Array, source: string, part: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch (error) {
    throw unusable(source, part, "is not UTF-8", error);
  }
}

/** Any JSON. Fails with SOURCE_ANSWER; the parser's message, which repeats content, is left behind. */
export function jsonValue(text: string, source: string, part: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable(source, part, "is not JSON");
  }
}

export function jsonObject(text: string, source: string, part: string): Readonly<Record<string, unknown>> {
  const value = jsonValue(text, source, part);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unusable(source, part, "is not a JSON object");
  }
  return value as Readonly<Record<string, unknown>>;
}
