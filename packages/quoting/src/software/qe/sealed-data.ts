import { createCipheriv, createDecipheriv } from "node:crypto";
import {
  ATTRIBUTE_FLAGS,
  decodeKeyRequest,
  encodeKeyRequest,
  isZero,
  KEY_NAME,
  KEY_POLICY,
  KEY_REQUEST_SIZE,
  readU32,
  writeU32,
} from "@confcom/sgx";
import { PlatformError } from "../../errors.ts";
import type { EnclaveIdentity } from "../cpu/enclave-identity.ts";
import type { RandomBytes } from "../cpu/fuses.ts";
import type { SoftwareCpu } from "../cpu/software-cpu.ts";

/**
 * sgx_sealed_data_t (spec: DCAP §5): a key request, where the clear text begins, the payload's size, a GCM tag, then the
 * payload: first what is encrypted, then what is only authenticated.
 */
export const SEALED_HEADER_SIZE = 560;
const OFFSET = { PLAIN_TEXT: 512, PAYLOAD_SIZE: 528, TAG: 544, PAYLOAD: SEALED_HEADER_SIZE } as const;
const RESERVED: readonly (readonly [from: number, to: number])[] = [
  [6, 8],
  [78, 512],
  [516, 528],
  [532, 544],
];
/** Every seal uses a key of its own (random KEYID), so the IV may be constant. */
const ZERO_IV = new Uint8Array(12);

/** Bits of ATTRIBUTES and MISCSELECT a sealing enclave insists on: INIT, DEBUG, and everything not yet defined. */
const SEAL_FLAGS_MASK = 0xff00_0000_0000_000bn;
const SEAL_MISC_MASK = 0xf000_0000;

/** What a blob says of the TCB it was sealed at. */
export interface SealTcb {
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  readonly isvSvn: number;
}

/** Seals for `enclave` at its current TCB, AES-128-GCM under a SEAL key by MRSIGNER. */
export function sealData(
  cpu: SoftwareCpu,
  enclave: EnclaveIdentity,
  secret: Uint8Array,
  clear: Uint8Array,
  random: RandomBytes,
): Uint8Array {
  const kss = (enclave.attributes.flags & ATTRIBUTE_FLAGS.KSS) !== 0n;
  const request = {
    keyName: KEY_NAME.SEAL,
    keyPolicy: KEY_POLICY.MRSIGNER | (kss ? KEY_POLICY.CONFIGID : 0),
    isvSvn: enclave.isvSvn,
    cpuSvn: cpu.svn,
    attributeMask: { flags: SEAL_FLAGS_MASK, xfrm: 0n },
    keyId: random(32),
    miscMask: SEAL_MISC_MASK,
    configSvn: enclave.configSvn,
  };
  const cipher = createCipheriv("aes-128-gcm", cpu.egetkey(enclave, request), ZERO_IV);
  cipher.setAAD(clear);
  const out = new Uint8Array(OFFSET.PAYLOAD + secret.length + clear.length);
  out.set(encodeKeyRequest(request));
  writeU32(out, OFFSET.PLAIN_TEXT, secret.length);
  writeU32(out, OFFSET.PAYLOAD_SIZE, secret.length + clear.length);
  out.set(cipher.update(secret), OFFSET.PAYLOAD);
  cipher.final();
  out.set(cipher.getAuthTag(), OFFSET.TAG);
  out.set(clear, OFFSET.PAYLOAD + secret.length);
  return out;
}

/** The TCB named in a sealed blob's key request, unauthenticated. Only for telling another TCB from damage. */
export function sealTcbOf(sealed: Uint8Array): SealTcb {
  const request = decodeKeyRequest(sealed.subarray(0, KEY_REQUEST_SIZE));
  return { cpuSvn: request.cpuSvn, isvSvn: request.isvSvn };
}

/**
 * Opens a blob of known sizes. Fails with QE_BLOB_ERROR when anything in it was changed, and with EGETKEY_* when it was
 * sealed at a TCB above the current one.
 */
export function unsealData(
  cpu: SoftwareCpu,
  enclave: EnclaveIdentity,
  sealed: Uint8Array,
  secretSize: number,
  clearSize: number,
): { readonly secret: Uint8Array; readonly clear: Uint8Array } {
  const broken = (why: string, cause?: unknown) =>
    new PlatformError("QE_BLOB_ERROR", `the sealed key blob ${why}`, { cause });
  const payloadSize = secretSize + clearSize;
  if (sealed.length !== OFFSET.PAYLOAD + payloadSize) throw broken(`has ${sealed.length} bytes`);
  if (readU32(sealed, OFFSET.PLAIN_TEXT) !== secretSize || readU32(sealed, OFFSET.PAYLOAD_SIZE) !== payloadSize) {
    throw broken("has other sizes in its header");
  }
  // The key request feeds the key, so GCM notices a change there; the reserved bytes feed nothing.
  if (RESERVED.some(([from, to]) => !isZero(sealed.subarray(from, to)))) throw broken("has reserved bytes set");
  const request = decodeKeyRequest(sealed.subarray(0, KEY_REQUEST_SIZE));
  if (request.keyName !== KEY_NAME.SEAL) throw broken(`asks for key ${request.keyName}`);
  const decipher = createDecipheriv("aes-128-gcm", cpu.egetkey(enclave, request), ZERO_IV, { authTagLength: 16 });
  const clear = sealed.slice(OFFSET.PAYLOAD + secretSize);
  decipher.setAAD(clear);
  decipher.setAuthTag(sealed.subarray(OFFSET.TAG, OFFSET.TAG + 16));
  const secret = Uint8Array.from(decipher.update(sealed.subarray(OFFSET.PAYLOAD, OFFSET.PAYLOAD + secretSize)));
  try {
    decipher.final();
  } catch (cause) {
    throw broken("does not match its authentication tag", cause);
  }
  return { secret, clear };
}
