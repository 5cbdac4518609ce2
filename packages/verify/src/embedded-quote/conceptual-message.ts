import { DER_TAG, DerError, DerReader } from "@confcom/sgx/der";
import { CBOR_MAJOR, CborError, CborReader } from "./cbor.ts";
import { type Evidence, EvidenceError } from "./evidence.ts";
import { readCbor, readTaggedEvidence } from "./tagged-evidence.ts";

/** Tags that stand for a CoAP content format (RFC 9277 §4.3): those of formats 0 to 65024. */
const CONTENT_FORMAT_TAG = { first: 1668546817, last: 1668612095 } as const;

/** The bit of a wrapper's indicator that says "evidence". */
const EVIDENCE_BIT = 1 << 2;

/** The DER around the CBOR, where there is one: an OCTET STRING, alone or in a SEQUENCE. */
function unwrapDer(value: Uint8Array): Uint8Array {
  const tag = value[0];
  if (tag !== DER_TAG.OCTET_STRING && tag !== DER_TAG.SEQUENCE) return value;
  try {
    const reader = new DerReader(value);
    if (tag === DER_TAG.SEQUENCE) reader.open(DER_TAG.SEQUENCE);
    const content = reader.octetString();
    if (tag === DER_TAG.SEQUENCE) reader.close();
    reader.finish();
    return content;
  } catch (error) {
    if (error instanceof DerError) throw new EvidenceError(`the message wrapper's DER: ${error.message}`);
    throw error;
  }
}

/** [ type, value, ? indicator ], or a content format's tag over the value. */
function readWrapper(bytes: Uint8Array): Uint8Array {
  return readCbor(bytes, "the message wrapper", (reader) => {
    if (reader.peek() === CBOR_MAJOR.TAG) {
      const tag = reader.tag();
      if (tag < CONTENT_FORMAT_TAG.first || tag > CONTENT_FORMAT_TAG.last) throw new CborError(`tag ${tag} is unknown`);
      return reader.bytes();
    }
    const count = reader.array();
    if (count !== 2 && count !== 3) throw new CborError(`a list of ${count}`);
    if (reader.peek() === CBOR_MAJOR.TEXT) reader.text();
    else reader.uint();
    const value = reader.bytes();
    if (count === 3 && (reader.uint() & EVIDENCE_BIT) === 0) throw new CborError("the message is not evidence");
    return value;
  });
}

/** Whether the bytes start as a quote does: version 3, 4 or 5, and an attestation key type. */
function startsAsQuote(bytes: Uint8Array): boolean {
  const version = bytes[0] as number;
  return bytes.length > 4 && version >= 3 && version <= 5 && bytes[1] === 0 && bytes[3] === 0;
}

/**
 * TCG DICE's conceptual message wrapper, the successor of its "tagged evidence" under the same identifier: tagged
 * evidence itself, or a wrapper around it or around a bare quote. Throws {@link EvidenceError}.
 */
export function readConceptualMessage(value: Uint8Array): Evidence {
  const bytes = unwrapDer(value);
  const reader = new CborReader(bytes);
  if (reader.peek() === CBOR_MAJOR.TAG && !isContentFormat(bytes)) return readTaggedEvidence(bytes);
  if (reader.peek() !== CBOR_MAJOR.TAG && reader.peek() !== CBOR_MAJOR.ARRAY) {
    throw new EvidenceError("the message wrapper is neither a CBOR array nor a CBOR tag");
  }
  const message = readWrapper(bytes);
  if (startsAsQuote(message)) {
    return { format: "message wrapper around a quote", quote: message, keyReference: { kind: "public-key" } };
  }
  const evidence = readTaggedEvidence(message);
  return { ...evidence, format: `message wrapper around ${evidence.format}` };
}

function isContentFormat(bytes: Uint8Array): boolean {
  try {
    const tag = new CborReader(bytes).tag();
    return tag >= CONTENT_FORMAT_TAG.first && tag <= CONTENT_FORMAT_TAG.last;
  } catch {
    return false;
  }
}
