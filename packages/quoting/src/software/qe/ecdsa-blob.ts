import { assertSize, bytesEqual, REPORT_OFFSET, readU16, readU32, writeU16, writeU32 } from "@confcom/sgx";
import { PlatformError } from "../../errors.ts";
import type { RandomBytes } from "../cpu/fuses.ts";
import type { SoftwareCpu } from "../cpu/software-cpu.ts";
import type { PceTcb } from "../pce/pce.ts";
import { ecdsaId } from "./attestation-key.ts";
import { QE_IDENTITY } from "./qe-identity.ts";
import { SEALED_HEADER_SIZE, sealData, unsealData } from "./sealed-data.ts";

/** The file a quote provider library keeps the blob under (spec: DCAP §5). */
export const ECDSA_BLOB_FILE = "ecdsa_data.blob";

const CLEAR_SIZE = 1223;
const SECRET_SIZE = 422;
/** Sealed header, encrypted part, authenticated part. */
export const ECDSA_BLOB_SIZE = SEALED_HEADER_SIZE + CLEAR_SIZE + SECRET_SIZE;

/** PPID_RSA3072_ENCRYPTED: the only kind of certification a key is made for; quotes carry the PCK chain instead. */
export const CERTIFICATION_KEY_TYPE = 3;
const SEAL_BLOB_TYPE = 0;
const KEY_VERSION = 0;
const AUTH_DATA_SIZE = 32;
const ENCRYPTED_PPID_SIZE = 384;

/** Offsets in the authenticated, readable part. */
const CLEAR = {
  TYPE: 0,
  KEY_VERSION: 1,
  CERT_CPUSVN: 2,
  CERT_QE_ISVSVN: 18,
  CERT_PCE_ISVSVN: 20,
  CERT_PCE_ID: 22,
  CERTIFICATION_KEY_TYPE: 24,
  RAW_CPUSVN: 28,
  RAW_PCE_ISVSVN: 44,
  RAW_PCE_ID: 46,
  SIGNATURE_SCHEME: 48,
  PCE_TARGET_INFO: 49,
  QE_REPORT: 561,
  QE_REPORT_SIGNATURE: 993,
  PUBLIC_KEY: 1057,
  ECDSA_ID: 1121,
  SEAL_CPUSVN: 1153,
  SEAL_QE_ISVSVN: 1169,
  AUTH_DATA_SIZE: 1171,
  AUTH_DATA: 1175,
  QE_ID: 1207,
} as const;

/** Offsets in the encrypted part. */
const SECRET = { PRIVATE_KEY: 0, IS_CLEAR_PPID: 32, CRYPTO_SUITE: 33, PPID_SIZE: 34, ENCRYPTED_PPID: 38 } as const;

/** An attestation key with everything that was certified about it (spec: DCAP §5). Byte fields have the sizes named. */
export interface EcdsaBlob {
  /** TCBm: the TCB whose PCK key signed the QE report. */
  readonly certTcb: PceTcb;
  readonly certQeIsvSvn: number;
  readonly certPceId: number;
  readonly certificationKeyType: number;
  /** The platform's own TCB when the key was made. */
  readonly rawTcb: PceTcb;
  readonly rawPceId: number;
  readonly signatureScheme: number;
  /** 512. */
  readonly pceTargetInfo: Uint8Array;
  /** 432. */
  readonly qeReport: Uint8Array;
  /** 64, r || s: zero until the PCE has certified the key. */
  readonly qeReportSignature: Uint8Array;
  /** 64, x || y. */
  readonly publicKey: Uint8Array;
  /** 32. */
  readonly ecdsaId: Uint8Array;
  readonly sealCpuSvn: Uint8Array;
  readonly sealQeIsvSvn: number;
  /** 32. */
  readonly authData: Uint8Array;
  /** 16. */
  readonly qeId: Uint8Array;
  /** 32, big-endian here; little-endian in the blob. */
  readonly privateKey: Uint8Array;
  readonly cryptoSuite: number;
  /** 384. */
  readonly encryptedPpid: Uint8Array;
}

function put(out: Uint8Array, offset: number, value: Uint8Array, size: number, field: string): void {
  assertSize(value, size, field);
  out.set(value, offset);
}

function encodeClear(blob: EcdsaBlob): Uint8Array {
  const out = new Uint8Array(CLEAR_SIZE);
  out[CLEAR.TYPE] = SEAL_BLOB_TYPE;
  out[CLEAR.KEY_VERSION] = KEY_VERSION;
  put(out, CLEAR.CERT_CPUSVN, blob.certTcb.cpuSvn, 16, "certified CPUSVN");
  writeU16(out, CLEAR.CERT_QE_ISVSVN, blob.certQeIsvSvn);
  writeU16(out, CLEAR.CERT_PCE_ISVSVN, blob.certTcb.pceSvn);
  writeU16(out, CLEAR.CERT_PCE_ID, blob.certPceId);
  writeU32(out, CLEAR.CERTIFICATION_KEY_TYPE, blob.certificationKeyType);
  put(out, CLEAR.RAW_CPUSVN, blob.rawTcb.cpuSvn, 16, "raw CPUSVN");
  writeU16(out, CLEAR.RAW_PCE_ISVSVN, blob.rawTcb.pceSvn);
  writeU16(out, CLEAR.RAW_PCE_ID, blob.rawPceId);
  out[CLEAR.SIGNATURE_SCHEME] = blob.signatureScheme;
  put(out, CLEAR.PCE_TARGET_INFO, blob.pceTargetInfo, 512, "PCE target info");
  put(out, CLEAR.QE_REPORT, blob.qeReport, 432, "QE report");
  put(out, CLEAR.QE_REPORT_SIGNATURE, blob.qeReportSignature, 64, "QE report signature");
  put(out, CLEAR.PUBLIC_KEY, blob.publicKey, 64, "attestation key");
  put(out, CLEAR.ECDSA_ID, blob.ecdsaId, 32, "ECDSA_ID");
  put(out, CLEAR.SEAL_CPUSVN, blob.sealCpuSvn, 16, "seal CPUSVN");
  writeU16(out, CLEAR.SEAL_QE_ISVSVN, blob.sealQeIsvSvn);
  writeU32(out, CLEAR.AUTH_DATA_SIZE, AUTH_DATA_SIZE);
  put(out, CLEAR.AUTH_DATA, blob.authData, AUTH_DATA_SIZE, "authentication data");
  put(out, CLEAR.QE_ID, blob.qeId, 16, "QE_ID");
  return out;
}

function encodeSecret(blob: EcdsaBlob): Uint8Array {
  const out = new Uint8Array(SECRET_SIZE);
  put(out, SECRET.PRIVATE_KEY, blob.privateKey.toReversed(), 32, "private key");
  out[SECRET.IS_CLEAR_PPID] = 0;
  out[SECRET.CRYPTO_SUITE] = blob.cryptoSuite;
  writeU32(out, SECRET.PPID_SIZE, ENCRYPTED_PPID_SIZE);
  put(out, SECRET.ENCRYPTED_PPID, blob.encryptedPpid, ENCRYPTED_PPID_SIZE, "encrypted PPID");
  return out;
}

/** Seals to 2205 bytes at the current TCB, which is written into the blob. */
export function sealEcdsaBlob(cpu: SoftwareCpu, blob: EcdsaBlob, random: RandomBytes): Uint8Array {
  const current = { ...blob, sealCpuSvn: cpu.svn, sealQeIsvSvn: QE_IDENTITY.isvSvn };
  return sealData(cpu, QE_IDENTITY, encodeSecret(current), encodeClear(current), random);
}

/** Opens and checks a blob. Fails with QE_BLOB_ERROR on damage, EGETKEY_* when sealed at a TCB above the current one. */
export function unsealEcdsaBlob(cpu: SoftwareCpu, sealed: Uint8Array): EcdsaBlob {
  const { secret, clear } = unsealData(cpu, QE_IDENTITY, sealed, SECRET_SIZE, CLEAR_SIZE);
  const refuse = (why: string) => new PlatformError("QE_BLOB_ERROR", `the key blob ${why}`);
  if (clear[CLEAR.TYPE] !== SEAL_BLOB_TYPE || clear[CLEAR.KEY_VERSION] !== KEY_VERSION) {
    throw refuse(`is of type ${clear[CLEAR.TYPE]}, version ${clear[CLEAR.KEY_VERSION]}`);
  }
  if (readU32(clear, CLEAR.AUTH_DATA_SIZE) !== AUTH_DATA_SIZE) throw refuse("has no 32 bytes of authentication data");
  if (readU32(secret, SECRET.PPID_SIZE) !== ENCRYPTED_PPID_SIZE || secret[SECRET.IS_CLEAR_PPID] !== 0) {
    throw refuse("has no encrypted PPID of 384 bytes");
  }
  const field = (from: number, size: number) => clear.slice(from, from + size);
  const blob: EcdsaBlob = {
    certTcb: { cpuSvn: field(CLEAR.CERT_CPUSVN, 16), pceSvn: readU16(clear, CLEAR.CERT_PCE_ISVSVN) },
    certQeIsvSvn: readU16(clear, CLEAR.CERT_QE_ISVSVN),
    certPceId: readU16(clear, CLEAR.CERT_PCE_ID),
    certificationKeyType: readU32(clear, CLEAR.CERTIFICATION_KEY_TYPE),
    rawTcb: { cpuSvn: field(CLEAR.RAW_CPUSVN, 16), pceSvn: readU16(clear, CLEAR.RAW_PCE_ISVSVN) },
    rawPceId: readU16(clear, CLEAR.RAW_PCE_ID),
    signatureScheme: clear[CLEAR.SIGNATURE_SCHEME] as number,
    pceTargetInfo: field(CLEAR.PCE_TARGET_INFO, 512),
    qeReport: field(CLEAR.QE_REPORT, 432),
    qeReportSignature: field(CLEAR.QE_REPORT_SIGNATURE, 64),
    publicKey: field(CLEAR.PUBLIC_KEY, 64),
    ecdsaId: field(CLEAR.ECDSA_ID, 32),
    sealCpuSvn: field(CLEAR.SEAL_CPUSVN, 16),
    sealQeIsvSvn: readU16(clear, CLEAR.SEAL_QE_ISVSVN),
    authData: field(CLEAR.AUTH_DATA, AUTH_DATA_SIZE),
    qeId: field(CLEAR.QE_ID, 16),
    privateKey: secret.slice(SECRET.PRIVATE_KEY, SECRET.PRIVATE_KEY + 32).toReversed(),
    cryptoSuite: secret[SECRET.CRYPTO_SUITE] as number,
    encryptedPpid: secret.slice(SECRET.ENCRYPTED_PPID, SECRET.ENCRYPTED_PPID + ENCRYPTED_PPID_SIZE),
  };
  if (!isConsistent(blob)) throw refuse("contradicts itself: key, ECDSA_ID and QE report do not belong together");
  return blob;
}

/** The ECDSA_ID that a blob gives in its readable part, undefined unless it is that of the public key beside it. */
export function readableEcdsaId(sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length !== ECDSA_BLOB_SIZE) return undefined;
  const clear = sealed.subarray(SEALED_HEADER_SIZE + SECRET_SIZE);
  const field = (from: number, size: number) => clear.slice(from, from + size);
  const id = field(CLEAR.ECDSA_ID, 32);
  const computed = ecdsaId(field(CLEAR.PUBLIC_KEY, 64), field(CLEAR.AUTH_DATA, AUTH_DATA_SIZE));
  return bytesEqual(id, computed) ? id : undefined;
}

/** ECDSA_ID is the hash of key and authentication data, and the QE report's data begins with it (spec: DCAP §5). */
export function isConsistent(blob: Pick<EcdsaBlob, "publicKey" | "authData" | "ecdsaId" | "qeReport">): boolean {
  const reported = blob.qeReport.subarray(REPORT_OFFSET.REPORTDATA, REPORT_OFFSET.REPORTDATA + 32);
  return bytesEqual(blob.ecdsaId, ecdsaId(blob.publicKey, blob.authData)) && bytesEqual(blob.ecdsaId, reported);
}
