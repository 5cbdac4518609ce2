import { canonicalJson } from "../json/canonical.ts";
import { JsonParser, JsonSyntaxError } from "../json/parse.ts";
import { JsonObject, type JsonValue } from "../json/value.ts";
import type { Signed } from "../x509/certificate.ts";

/** A JSON text {"<name>": {...}, "signature": "..."} taken apart, nothing checked beyond its being JSON. */
export interface SignedJson {
  readonly body: JsonValue | undefined;
  readonly signature: JsonValue | undefined;
  /** The bytes a signature must be over: the body as the reference verifier's JSON library writes it. */
  signedBytes(): Uint8Array;
}

/** Undefined if the text is no JSON object. `maxDecimalPlaces` is the writer's setting for this kind of document. */
export function readSignedJson(text: Uint8Array, name: string, maxDecimalPlaces: number): SignedJson | undefined {
  const parser = new JsonParser(text);
  let document: JsonValue;
  try {
    document = parser.parse();
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
  if (!(document instanceof JsonObject)) return undefined;
  return {
    body: document.get(name),
    signature: document.get("signature"),
    signedBytes() {
      const span = parser.spans.get(name);
      if (span === undefined) return new Uint8Array(0);
      return span.canonical
        ? text.subarray(span.start, span.end)
        : canonicalJson(text, span.start, span.end, maxDecimalPlaces);
    },
  };
}

/** What {@link Signed} needs, from a document and its signature of 64 bytes (or none, if it is not hexadecimal). */
export function signedDocument(document: SignedJson, signature: Uint8Array): Pick<Signed, "signedBytes" | "signature"> {
  return {
    signedBytes: document.signedBytes(),
    signature: signature.length === 64 ? signature : undefined,
  };
}
