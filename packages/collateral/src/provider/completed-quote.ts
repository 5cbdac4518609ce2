import { CERTIFICATION_DATA_TYPE, decodeQuote, readU32, writeU16, writeU32 } from "@confcom/sgx";
import type { PckCertificateAnswer } from "../answer.ts";

/** From the length of v4 or v5 signature data to the length of its outer block: itself, signature, key and type. */
const OUTER_SIZE = 4 + 64 + 64 + 2;

/**
 * The same quote (version 3, 4 or 5) with this PCK certificate and its issuers as certification data of type 5, as platforms with a
 * quote provider make them: verifiers take no other. Certification data is the one part of a quote that no signature covers; the chain
 * has its own, and the QE report's signature shows whether it is of the right key. Throws SgxFormatError for what is no quote.
 */
export function completedQuote(
  bytes: Uint8Array,
  { certificate, issuerChain }: Pick<PckCertificateAnswer, "certificate" | "issuerChain">,
): Uint8Array {
  // The NUL at the end is counted (spec: DCAP §3).
  const chain = new TextEncoder().encode(`${certificate.trimEnd()}\n${issuerChain.trimEnd()}\n\0`);
  return withCertificationData(bytes, CERTIFICATION_DATA_TYPE.PCK_CHAIN, chain);
}

/** A quote with other certification data, of this type; every length around it follows. */
export function withCertificationData(bytes: Uint8Array, type: number, data: Uint8Array): Uint8Array {
  const { header, signedBytes, signatureData } = decodeQuote(bytes);
  const { certificationData: old } = signatureData;
  const start = old.byteOffset - bytes.byteOffset;
  const grown = data.length - old.length;
  const out = new Uint8Array(bytes.length + grown);
  out.set(bytes.subarray(0, start));
  out.set(data, start);
  out.set(bytes.subarray(start + old.length), start + data.length);
  writeU16(out, start - 6, type);
  writeU32(out, start - 4, data.length);
  const size = signedBytes.length;
  for (const at of header.version === 3 ? [size] : [size, size + OUTER_SIZE]) {
    writeU32(out, at, readU32(bytes, at) + grown);
  }
  return out;
}
