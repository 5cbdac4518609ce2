const CHUNK_SIZE = 64 * 1024;

/**
 * Copies of small byte ranges, cut one after the other from larger blocks that are never written twice. A fresh
 * Uint8Array costs several times as much; a pooled Buffer would, but `slice` means another thing on it.
 */
export class ByteArena {
  #chunk = new Uint8Array(CHUNK_SIZE);
  #used = 0;

  copy(bytes: Uint8Array, start: number, length: number): Uint8Array {
    if (length > CHUNK_SIZE / 16) return new Uint8Array(bytes.subarray(start, start + length));
    if (this.#used + length > CHUNK_SIZE) {
      this.#chunk = new Uint8Array(CHUNK_SIZE);
      this.#used = 0;
    }
    const chunk = this.#chunk;
    const at = this.#used;
    this.#used = at + length;
    chunk.set(bytes.subarray(start, start + length), at);
    return chunk.subarray(at, at + length);
  }
}
