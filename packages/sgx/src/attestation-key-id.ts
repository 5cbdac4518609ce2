import { assertSize, putBytes } from "./bytes.ts";
import { SgxFormatError } from "./errors.ts";
import { fromHex } from "./hex.ts";
import { readU16, readU32, writeU16, writeU32 } from "./little-endian.ts";

/** sgx_ql_att_key_id_t: the part that is compared (spec: AESM §4). */
export const ATTESTATION_KEY_ID_BASE_SIZE = 158;
/** sgx_att_key_id_t: base, SPID, key type, reserved. */
export const ATTESTATION_KEY_ID_SIZE = 256;

export const ATTESTATION_ALGORITHM = { EPID_UNLINKABLE: 0, EPID_LINKABLE: 1, ECDSA_P256: 2, ECDSA_P384: 3 } as const;

/** Which quoting enclave's key, and of which algorithm. */
export interface AttestationKeyId {
  readonly id: number;
  readonly version: number;
  /** At most 48 bytes; `mrsigner_length` is written from its length. */
  readonly mrSigner: Uint8Array;
  readonly prodId: number;
  /** 16 bytes. */
  readonly extendedProdId: Uint8Array;
  /** 64 bytes. */
  readonly configId: Uint8Array;
  /** 16 bytes. */
  readonly familyId: Uint8Array;
  readonly algorithmId: number;
  /** 16 bytes; EPID only. */
  readonly spid: Uint8Array;
  readonly attKeyType: number;
}

/** The key id that every DCAP client hard-codes: Intel's QE MRSIGNER, product 1, ECDSA on P-256. */
export const ECDSA_P256_KEY_ID: AttestationKeyId = {
  id: 0,
  version: 0,
  mrSigner: fromHex("8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"),
  prodId: 1,
  extendedProdId: new Uint8Array(16),
  configId: new Uint8Array(64),
  familyId: new Uint8Array(16),
  algorithmId: ATTESTATION_ALGORITHM.ECDSA_P256,
  spid: new Uint8Array(16),
  attKeyType: 0,
};

/** Reads 158 or 256 bytes (158: SPID and type are zero). Throws `SGX_SIZE`; `SGX_VALUE` when mrsigner_length exceeds 48. */
export function decodeAttestationKeyId(bytes: Uint8Array): AttestationKeyId {
  if (bytes.length !== ATTESTATION_KEY_ID_BASE_SIZE) assertSize(bytes, ATTESTATION_KEY_ID_SIZE, "attestation key id");
  const signerLength = readU16(bytes, 4);
  if (signerLength > 48) throw new SgxFormatError("SGX_VALUE", `mrsigner_length ${signerLength} exceeds 48`);
  const extended = bytes.length === ATTESTATION_KEY_ID_SIZE;
  return {
    id: readU16(bytes, 0),
    version: readU16(bytes, 2),
    mrSigner: bytes.slice(6, 6 + signerLength),
    prodId: readU32(bytes, 54),
    extendedProdId: bytes.slice(58, 74),
    configId: bytes.slice(74, 138),
    familyId: bytes.slice(138, 154),
    algorithmId: readU32(bytes, 154),
    spid: extended ? bytes.slice(158, 174) : new Uint8Array(16),
    attKeyType: extended ? readU16(bytes, 174) : 0,
  };
}

/** Writes the base (158 bytes) or the whole structure (256 bytes). */
export function encodeAttestationKeyId(
  keyId: AttestationKeyId,
  size: typeof ATTESTATION_KEY_ID_BASE_SIZE | typeof ATTESTATION_KEY_ID_SIZE = ATTESTATION_KEY_ID_SIZE,
): Uint8Array {
  const out = new Uint8Array(size);
  writeU16(out, 0, keyId.id);
  writeU16(out, 2, keyId.version);
  writeU16(out, 4, keyId.mrSigner.length);
  putBytes(out, 6, keyId.mrSigner, 48, "MRSIGNER");
  writeU32(out, 54, keyId.prodId);
  putBytes(out, 58, keyId.extendedProdId, 16, "extended product id");
  putBytes(out, 74, keyId.configId, 64, "CONFIGID");
  putBytes(out, 138, keyId.familyId, 16, "family id");
  writeU32(out, 154, keyId.algorithmId);
  if (size === ATTESTATION_KEY_ID_SIZE) {
    putBytes(out, 158, keyId.spid, 16, "SPID");
    writeU16(out, 174, keyId.attKeyType);
  }
  return out;
}

/** Intel's comparison: the first 158 bytes; SPID, type and reserved bytes do not count. */
export function sameAttestationKey(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length < ATTESTATION_KEY_ID_BASE_SIZE || b.length < ATTESTATION_KEY_ID_BASE_SIZE) return false;
  for (let i = 0; i < ATTESTATION_KEY_ID_BASE_SIZE; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A list holds 1 to 10 ids (spec: AESM §4). */
export const KEY_ID_LIST_MAX = 10;

/** Reads an att_key_id_list: the raw 256-byte entries, which callers get back unchanged. Throws `KEY_ID_LIST`. */
export function decodeKeyIdList(bytes: Uint8Array): Uint8Array[] {
  const refuse = (why: string) => new SgxFormatError("KEY_ID_LIST", why);
  if (bytes.length < 8 + ATTESTATION_KEY_ID_SIZE) throw refuse(`${bytes.length} bytes are fewer than 264`);
  if (readU16(bytes, 0) !== 0 || readU16(bytes, 2) !== 0) throw refuse("id and version must be 0");
  const count = readU32(bytes, 4);
  if (count < 1 || count > KEY_ID_LIST_MAX) throw refuse(`count ${count} is not 1 to ${KEY_ID_LIST_MAX}`);
  if (bytes.length !== 8 + count * ATTESTATION_KEY_ID_SIZE)
    throw refuse(`${count} ids do not take ${bytes.length} bytes`);
  return Array.from({ length: count }, (_, i) =>
    bytes.slice(8 + i * ATTESTATION_KEY_ID_SIZE, 8 + (i + 1) * ATTESTATION_KEY_ID_SIZE),
  );
}

/** Writes a list of 1 to 10 raw 256-byte ids. Throws `KEY_ID_LIST`. */
export function encodeKeyIdList(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > KEY_ID_LIST_MAX) {
    throw new SgxFormatError("KEY_ID_LIST", `count ${entries.length} is not 1 to ${KEY_ID_LIST_MAX}`);
  }
  const out = new Uint8Array(8 + entries.length * ATTESTATION_KEY_ID_SIZE);
  writeU32(out, 4, entries.length);
  entries.forEach((entry, i) => {
    assertSize(entry, ATTESTATION_KEY_ID_SIZE, "attestation key id");
    out.set(entry, 8 + i * ATTESTATION_KEY_ID_SIZE);
  });
  return out;
}
