/** Length in front of every message: u32, little-endian, counting the body alone (spec: AESM §2). */
export const FRAME_HEADER_SIZE = 4;

const MAX_CHUNKS = 32;

/** The length a header announces. `bytes` must hold 4 bytes at `offset`; nothing else is read or allocated. */
export function readFrameHeader(bytes: Uint8Array, offset = 0): number {
  return (
    ((bytes[offset] as number) |
      ((bytes[offset + 1] as number) << 8) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 3] as number) << 24)) >>>
    0
  );
}

export function writeFrameHeader(bytes: Uint8Array, bodySize: number): void {
  bytes[0] = bodySize & 0xff;
  bytes[1] = (bodySize >>> 8) & 0xff;
  bytes[2] = (bodySize >>> 16) & 0xff;
  bytes[3] = bodySize >>> 24;
}

/**
 * Collects one frame from the chunks of a stream. The announced length is compared with `limit` as soon as the 4 header
 * bytes are there; memory held is what arrived, never what was announced.
 */
export class FrameAssembler {
  /** Bytes received so far. */
  received = 0;
  /** Whole frame size, header included, once the header is known; 0 before. */
  frameSize = 0;
  /** True when the header announces more than the limit. */
  oversized = false;

  readonly #limit: number;
  #chunks: Uint8Array[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get complete(): boolean {
    return this.frameSize !== 0 && this.received >= this.frameSize;
  }

  /** Takes a chunk, which must not be changed afterwards. Bytes behind the frame are kept out of {@link frame}. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.received += chunk.length;
    // A peer that sends single bytes must not cost a view for each.
    if (this.#chunks.length > MAX_CHUNKS) this.#join();
    if (this.frameSize !== 0 || this.received < FRAME_HEADER_SIZE) return;
    if ((this.#chunks[0] as Uint8Array).length < FRAME_HEADER_SIZE) this.#join();
    const bodySize = readFrameHeader(this.#chunks[0] as Uint8Array);
    if (bodySize > this.#limit) {
      this.oversized = true;
      this.#chunks = [];
    } else this.frameSize = FRAME_HEADER_SIZE + bodySize;
  }

  /** The complete frame, header included. */
  frame(): Uint8Array {
    this.#join();
    const { buffer, byteOffset } = this.#chunks[0] as Uint8Array;
    // A Buffer would pass for a Uint8Array until somebody slices it.
    return new Uint8Array(buffer, byteOffset, this.frameSize);
  }

  #join(): void {
    if (this.#chunks.length === 1) return;
    const joined = new Uint8Array(this.received);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [joined];
  }
}
