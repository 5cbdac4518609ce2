import { concatBytes } from "@confcom/sgx";
import type { Random } from "../random.ts";

/** Values at which sizes and counters change their mind. */
export const EDGES: readonly number[] = [
  0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

function putNumber(bytes: Uint8Array, at: number, size: number, value: number): void {
  for (let i = 0; i < size && at + i < bytes.length; i++) bytes[at + i] = Math.floor(value / 2 ** (8 * i));
}

function changeOnce(random: Random, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return random.bytes(1 + random.below(8));
  const at = random.below(bytes.length);
  const size = 1 + random.below(random.once(4) ? 256 : 4);
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2: {
      const out = bytes.slice();
      out[at] = (out[at] as number) ^ (1 << random.below(8));
      return out;
    }
    case 3: {
      const out = bytes.slice();
      out[at] = random.next();
      return out;
    }
    case 4:
      return concatBytes(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + size)));
    case 5:
      return concatBytes(bytes.subarray(0, at), random.bytes(size), bytes.subarray(at));
    case 6:
      return concatBytes(bytes.subarray(0, at + size), bytes.subarray(at));
    case 7:
      return bytes.slice(0, at);
    case 8: {
      const out = bytes.slice();
      putNumber(out, at, random.pick([1, 2, 4]), random.pick(EDGES));
      return out;
    }
    default: {
      const out = bytes.slice();
      out.fill(random.pick([0, 0xff, 0x20, 0x30, 0x80]), at, at + size);
      return out;
    }
  }
}

/** Changes bytes without knowing what they mean, once to four times. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let out = changeOnce(random, bytes);
  while (random.once(3)) out = changeOnce(random, out);
  return out;
}

/** Changes one number at a place, keeping the size: an edge, one more or less, a bit, anything. */
export function mutateField(random: Random, bytes: Uint8Array, at: number, size: number): Uint8Array {
  const out = bytes.slice();
  switch (random.below(5)) {
    case 0:
      putNumber(out, at, size, random.pick(EDGES));
      break;
    case 1:
      out[at] = (out[at] as number) + random.pick([1, -1, 2, -2, 4, -4]);
      break;
    case 2: {
      const byte = at + random.below(size);
      out[byte] = (out[byte] as number) ^ (1 << random.below(8));
      break;
    }
    case 3:
      out.fill(random.pick([0, 0xff]), at, at + size);
      break;
    default:
      out.set(random.bytes(size), at);
  }
  return out;
}
