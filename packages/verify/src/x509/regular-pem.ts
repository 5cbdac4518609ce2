import { BUDGETS } from "../budgets.ts";

const BEGIN_LINE = "-----BEGIN CERTIFICATE-----\n";
const END = "-----END CERTIFICATE-----";
const LINE = 64;
const LF = 0x0a;
const PAD = 0x3d;
const STRICT = { lastChunkHandling: "strict" } as const;

// A byte order mark is text like any other: the careful decoder finds no BEGIN line behind it either.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Whether the engine decodes base64 itself (ES2026: Node 26, browsers of 2025): fourteen times as fast as a loop over bytes. */
const NATIVE = typeof Uint8Array.prototype.setFromBase64 === "function";

/**
 * Where decoded bytes go: one allocation for several chains, because it costs more than decoding one. A chain that is
 * kept keeps its slab, so 16 KB instead of 3; a text too large for a share has memory of its own.
 */
const SLAB_BYTES = 16_384;
const LARGEST_SHARE = SLAB_BYTES / 4;
let slab = new Uint8Array(0);
let slabUsed = 0;

/** Room for so many bytes. */
function room(size: number): Uint8Array {
  if (size > LARGEST_SHARE) return new Uint8Array(size);
  if (slabUsed + size > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const out = slab.subarray(slabUsed, slabUsed + size);
  slabUsed += size;
  return out;
}

/** Bytes that a body of whole lines stands for; -1 if it is not lines of 64 characters and a shorter last one, LF after each. */
function bodySize(text: string, start: number, end: number): number {
  // The last line must hold something: a line with nothing on it is damage, and the decoder would skip its end.
  if (end <= start + 1 || text.charCodeAt(end - 1) !== LF || text.charCodeAt(end - 2) === LF) return -1;
  for (let at = start + LINE; at < end - 1; at += LINE + 1) if (text.charCodeAt(at) !== LF) return -1;
  const characters = end - start - Math.ceil((end - start) / (LINE + 1));
  const padding = text.charCodeAt(end - 2) !== PAD ? 0 : text.charCodeAt(end - 3) !== PAD ? 1 : 2;
  // With the strict decoder this size comes out only if every character but the line ends is base64: it skips blanks
  // that the reference verifier takes otherwise, and each one skipped would leave fewer bytes.
  return (characters * 3) / 4 - padding;
}

/**
 * The certificates of a PEM text in the form that everything writes: BEGIN, lines of 64 characters, END, LF, nothing
 * else, up to the end or a NUL. Undefined for every other text, which says nothing about it: decide carefully then.
 */
export function decodeRegularPem(input: Uint8Array): Uint8Array[] | undefined {
  if (!NATIVE || input.length === 0) return undefined;
  const text = utf8.decode(input);
  const out = room((text.length * 3) >> 2);
  const blocks: Uint8Array[] = [];
  let at = 0;
  let size = 0;
  do {
    const start = at + BEGIN_LINE.length;
    if (!text.startsWith(BEGIN_LINE, at) || blocks.length === BUDGETS.certificates) return undefined;
    const end = text.indexOf("-", start);
    if (end < 0 || !text.startsWith(END, end)) return undefined;
    const expected = bodySize(text, start, end);
    if (expected < 0) return undefined;
    const target = out.subarray(size, size + expected);
    try {
      if (target.setFromBase64(text.slice(start, end), STRICT).written !== expected) return undefined;
    } catch {
      return undefined;
    }
    blocks.push(target);
    size += expected;
    at = end + END.length;
    if (text.charCodeAt(at) === LF) at++;
    else if (at < text.length && text.charCodeAt(at) !== 0) return undefined;
  } while (at < text.length && text.charCodeAt(at) !== 0);
  return blocks;
}
