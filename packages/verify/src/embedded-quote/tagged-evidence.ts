import type { HashAlgorithm } from "../policy.ts";
import { CborError, CborReader } from "./cbor.ts";
import { type Evidence, EvidenceError, type KeyReference } from "./evidence.ts";

/** CBOR tags of Intel's evidence, registered with IANA. */
const TAG = { QUOTE: 60000, TEE_REPORT: 60001, SGX_REPORT: 60002 } as const;

/** IANA's "named information" hash algorithms that a public key's hash may be of. */
const HASHES: Readonly<Record<number, { readonly algorithm: HashAlgorithm; readonly size: number }>> = {
  1: { algorithm: "sha256", size: 32 },
  7: { algorithm: "sha384", size: 48 },
  8: { algorithm: "sha512", size: 64 },
};

/** Claims beyond the two known ones are ignored, but not any number of them. */
const MAX_CLAIMS = 16;

/** Runs a CBOR reader over the whole input and gives its errors a place. */
export function readCbor<T>(bytes: Uint8Array, what: string, read: (reader: CborReader) => T): T {
  const reader = new CborReader(bytes);
  try {
    const value = read(reader);
    reader.finish();
    return value;
  } catch (error) {
    if (error instanceof CborError) throw new EvidenceError(`${what}: ${error.message}`);
    throw error;
  }
}

/** [ hash-alg-id, hash-value ] of CoSWID. */
function readHashEntry(bytes: Uint8Array): { algorithm: HashAlgorithm; hash: Uint8Array } {
  return readCbor(bytes, "the claim pubkey-hash", (reader) => {
    if (reader.array() !== 2) throw new CborError("not a pair");
    const id = reader.uint();
    const known = HASHES[id];
    if (known === undefined) throw new CborError(`hash algorithm ${id} is not SHA-256, SHA-384 or SHA-512`);
    const hash = reader.bytes();
    if (hash.length !== known.size) throw new CborError(`a ${known.algorithm} of ${hash.length} bytes`);
    return { algorithm: known.algorithm, hash };
  });
}

/** { "pubkey-hash": bytes, ? "nonce": bytes }, serialised: what the quote signs is the hash of these very bytes. */
function readClaims(claims: Uint8Array): KeyReference {
  const found = readCbor(claims, "the claims", (reader) => {
    const count = reader.map();
    if (count > MAX_CLAIMS) throw new CborError(`${count} claims`);
    const values = new Map<string, Uint8Array>();
    for (let i = 0; i < count; i++) {
      const name = reader.text();
      if (values.has(name)) throw new CborError(`the claim ${name} is there twice`);
      values.set(name, reader.bytes());
    }
    return values;
  });
  const entry = found.get("pubkey-hash");
  if (entry === undefined) throw new EvidenceError("the claims have no pubkey-hash");
  const nonce = found.get("nonce");
  return { kind: "hash-claims", claims, ...readHashEntry(entry), ...(nonce === undefined ? {} : { nonce }) };
}

/** 60000([ quote, claims ]): interoperable RA-TLS evidence. Throws {@link EvidenceError}. */
export function readTaggedEvidence(bytes: Uint8Array): Evidence {
  const { quote, claims } = readCbor(bytes, "tagged evidence", (reader) => {
    const tag = reader.tag();
    if (tag === TAG.TEE_REPORT || tag === TAG.SGX_REPORT) {
      throw new CborError(`tag ${tag} holds a report, which only its own machine can check, not a quote`);
    }
    if (tag !== TAG.QUOTE) throw new CborError(`tag ${tag} is not ${TAG.QUOTE}, an SGX or TDX quote`);
    if (reader.array() !== 2) throw new CborError("not a pair of quote and claims");
    return { quote: reader.bytes(), claims: reader.bytes() };
  });
  return { format: "tagged evidence (60000)", quote, keyReference: readClaims(claims) };
}
