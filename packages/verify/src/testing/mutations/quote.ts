import { concatBytes, decodeQuote, writeU16, writeU32 } from "@confcom/sgx";
import type { Random } from "../random.ts";
import { EDGES, mutateField } from "./bytes.ts";

/** Where the numbers stand that say what follows, and what is signed. */
export interface QuoteLayout {
  /** Sizes, types and versions: offset and bytes. */
  readonly structural: readonly (readonly [at: number, size: number])[];
  /** Offset of the signature data's length. */
  readonly lengthAt: number;
  readonly qeReportAt: number;
  readonly authSizeAt: number;
  readonly certificationDataAt: number;
}

export function quoteLayout(bytes: Uint8Array): QuoteLayout {
  const quote = decodeQuote(bytes);
  const lengthAt = quote.signedBytes.length;
  const inner = quote.header.version === 3 ? 0 : 6;
  const qeReportAt = lengthAt + 4 + 128 + inner;
  const authSizeAt = qeReportAt + 384 + 64;
  const innerTypeAt = authSizeAt + 2 + quote.signatureData.qeAuthData.length;
  const structural: [number, number][] = [
    [0, 2],
    [2, 2],
    [4, 4],
    [lengthAt, 4],
    [authSizeAt, 2],
    [innerTypeAt, 2],
    [innerTypeAt + 2, 4],
  ];
  if (quote.header.version === 5) structural.push([48, 2], [50, 4]);
  if (inner > 0) structural.push([lengthAt + 4 + 128, 2], [lengthAt + 4 + 130, 4]);
  return { structural, lengthAt, qeReportAt, authSizeAt, certificationDataAt: innerTypeAt + 6 };
}

/** Puts all sizes right for other certification data. */
export function withCertificationData(quote: Uint8Array, layout: QuoteLayout, data: Uint8Array): Uint8Array {
  const out = concatBytes(quote.subarray(0, layout.certificationDataAt), data);
  writeU32(out, layout.certificationDataAt - 4, data.length);
  if (layout.qeReportAt - layout.lengthAt === 138) writeU32(out, layout.qeReportAt - 4, out.length - layout.qeReportAt);
  writeU32(out, layout.lengthAt, out.length - layout.lengthAt - 4);
  return out;
}

/** Changes sizes, types, versions and ends of a quote: what its decoder goes by. */
export function mutateQuoteLayout(random: Random, quote: Uint8Array, layout: QuoteLayout): Uint8Array {
  const [at, size] = random.pick(layout.structural);
  switch (random.below(7)) {
    case 0:
    case 1:
      return mutateField(random, quote, at, size);
    case 2: {
      const out = quote.slice();
      const left = quote.length - at - size;
      const value = Math.max(0, left + random.pick([0, 1, -1, 2, -2, 64, -64]));
      if (size === 4) writeU32(out, at, value);
      else writeU16(out, at, value & 0xffff);
      return out;
    }
    case 3:
      return quote.slice(0, random.once(2) ? at + random.below(size + 1) : random.below(quote.length));
    case 4:
      return concatBytes(quote, random.bytes(random.once(50) ? 70_000 : random.below(100)));
    case 5: {
      // Authentication data of another size, with the sizes around it right or not.
      const auth = random.bytes(random.pick([0, 1, 31, 33, 64, 1000]));
      const rest = quote.subarray(layout.certificationDataAt - 6);
      const out = concatBytes(quote.subarray(0, layout.authSizeAt + 2), auth, rest);
      writeU16(out, layout.authSizeAt, auth.length);
      return random.once(2) ? out : mutateField(random, out, layout.lengthAt, 4);
    }
    default: {
      const out = mutateField(random, quote, at, size);
      const [otherAt] = random.pick(layout.structural);
      out[otherAt] = random.pick(EDGES);
      return out;
    }
  }
}

/** Fields of header, SGX body and QE report that a verifier looks at. */
const HEADER: readonly (readonly [number, number])[] = [
  [0, 2],
  [2, 2],
  [4, 4],
  [8, 2],
  [10, 2],
  [12, 16],
  [28, 20],
];
const SGX_REPORT: readonly (readonly [number, number])[] = [
  [0, 16],
  [16, 4],
  [48, 8],
  [56, 8],
  [64, 32],
  [128, 32],
  [256, 2],
  [258, 2],
  [260, 2],
  [320, 32],
  [352, 32],
];
const TD_REPORT: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 1],
  [2, 1],
  [3, 13],
  [16, 48],
  [64, 48],
  [112, 8],
  [120, 8],
  [128, 8],
  [136, 48],
  [520, 64],
];
const TD_15: readonly (readonly [number, number])[] = [
  [584, 1],
  [585, 1],
  [586, 1],
  [587, 13],
  [600, 48],
];

/** Changes one field of what the attestation key signs. */
export function mutateHeaderAndBody(random: Random, headerAndBody: Uint8Array): Uint8Array {
  const body = headerAndBody.length - (headerAndBody[0] === 5 ? 54 : 48);
  const start = headerAndBody.length - body;
  if (random.once(4)) {
    const [at, size] = start === 54 && random.once(4) ? [48, 6] : random.pick(HEADER);
    return mutateField(random, headerAndBody, at, size);
  }
  const fields = body === 384 ? SGX_REPORT : body === 648 && random.once(2) ? TD_15 : TD_REPORT;
  const [at, size] = random.pick(fields);
  return mutateField(random, headerAndBody, start + at, size);
}

/** Changes one field of the quoting enclave's report. */
export function mutateQeReport(random: Random, qeReport: Uint8Array): Uint8Array {
  const [at, size] = random.pick(SGX_REPORT);
  return mutateField(random, qeReport, at, size);
}
