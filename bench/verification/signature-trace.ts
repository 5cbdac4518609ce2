import {
  createVerificationCache,
  createVerifier,
  type P256Key,
  type VerificationCrypto,
  verifyQuote,
} from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import type { VerificationInput } from "./inputs.ts";

const OPERATION = { keepKey: 0, importKey: 1, verify: 2 } as const;

interface Operation {
  readonly kind: number;
  readonly key: number;
  /** The message, or the point of a key. */
  readonly bytes: Uint8Array;
  /** 64 bytes; none for keys. */
  readonly signature?: Uint8Array;
}

/** The asymmetric part of one verification: what is left when everything else costs nothing. */
export interface SignatureTrace {
  readonly imports: number;
  readonly verifications: number;
  /** For `limit/verify.c`. */
  readonly encoded: Buffer;
}

/** Records the key imports and signature checks of a verification with nothing remembered, and of one with all of it. */
export function traceSignatures(input: VerificationInput): {
  readonly cold: SignatureTrace;
  readonly warm: SignatureTrace;
} {
  const { quote, collateral, terms } = input;
  let operations: Operation[] = [];
  const points: Uint8Array[] = [];
  const keys = new Map<P256Key, number>();
  const crypto: VerificationCrypto = {
    ...nodeCrypto,
    importP256(point) {
      const key = nodeCrypto.importP256(point);
      if (key === undefined) throw new Error(`${input.name}: a key cannot be imported`);
      keys.set(key, points.length);
      operations.push({ kind: OPERATION.importKey, key: points.length, bytes: point });
      points.push(point);
      return key;
    },
    verifyP256(key, message, signature) {
      const valid = nodeCrypto.verifyP256(key, message, signature);
      const index = keys.get(key);
      if (!valid || index === undefined) throw new Error(`${input.name}: a signature does not verify`);
      operations.push({ kind: OPERATION.verify, key: index, bytes: message, signature });
      return valid;
    },
  };
  const record = (verify: () => { readonly ret: number }): Operation[] => {
    operations = [];
    if (verify().ret !== 0) throw new Error(`${input.name} does not verify`);
    return operations;
  };
  const cold = record(() => verifyQuote(quote, collateral, { ...terms, crypto }));
  const verifier = createVerifier({ crypto, cache: createVerificationCache() });
  record(() => verifier.verify(quote, collateral, terms));
  const warm = record(() => verifier.verify(quote, collateral, terms));
  return { cold: trace(cold, points), warm: trace(warm, points) };
}

/** Numbers the keys of one verification from 0; those it did not import itself are there before it begins. */
function trace(operations: readonly Operation[], points: readonly Uint8Array[]): SignatureTrace {
  const numbers = new Map<number, number>();
  const kept: Operation[] = [];
  const numbered = operations.map((operation) => {
    let key = numbers.get(operation.key);
    if (key === undefined) {
      key = numbers.size;
      numbers.set(operation.key, key);
      const bytes = points[operation.key];
      if (operation.kind === OPERATION.verify && bytes !== undefined)
        kept.push({ kind: OPERATION.keepKey, key, bytes });
    }
    return { ...operation, key };
  });
  const all = [...kept, ...numbered];
  return {
    imports: operations.filter(({ kind }) => kind === OPERATION.importKey).length,
    verifications: operations.filter(({ kind }) => kind === OPERATION.verify).length,
    encoded: Buffer.concat([u32(all.length), ...all.map(encode)]),
  };
}

function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function encode({ kind, key, bytes, signature }: Operation): Buffer {
  const der = signature === undefined ? Buffer.alloc(0) : derSignature(signature);
  return Buffer.concat([u32(kind), u32(key), u32(bytes.length), bytes, u32(der.length), der]);
}

function derSignature(signature: Uint8Array): Buffer {
  const body = Buffer.concat([derInteger(signature.subarray(0, 32)), derInteger(signature.subarray(32))]);
  return Buffer.concat([Uint8Array.of(0x30, body.length), body]);
}

function derInteger(bytes: Uint8Array): Buffer {
  let from = 0;
  while (from < 31 && bytes[from] === 0) from++;
  const pad = (bytes[from] as number) >= 0x80 ? [0] : [];
  return Buffer.concat([Uint8Array.of(2, 32 - from + pad.length, ...pad), bytes.subarray(from)]);
}
