import { constants, createHash, createPublicKey, publicEncrypt } from "node:crypto";
import {
  ATTRIBUTE_FLAGS,
  bytesEqual,
  decodeAttributes,
  KEY_NAME,
  REPORT_BODY_SIZE,
  REPORT_OFFSET,
  REPORT_SIZE,
} from "@confcom/sgx";
import { cmac } from "../../crypto/cmac-once.ts";
import { deriveP256Scalar } from "../../crypto/key-derivation.ts";
import { type P256KeyPair, p256KeyPair, signP256 } from "../../crypto/p256.ts";
import { PlatformError } from "../../errors.ts";
import { CPU_SVN_NAMES, CPU_SVNS, derivableCpuSvn } from "../cpu/cpu-svn.ts";
import { targetInfoOf } from "../cpu/enclave-identity.ts";
import { ReportMacChecker } from "../cpu/report-key.ts";
import type { SoftwareCpu } from "../cpu/software-cpu.ts";
import type { PceErrorCode } from "./pce-errors.ts";
import { PCE_CRYPTO_SUITE, PCE_ID, PCE_IDENTITY, PCE_ISV_SVN, PCE_SIGNATURE_SCHEME } from "./pce-identity.ts";

/** A TCB to certify at: 16 bytes CPUSVN and the PCE's ISVSVN. */
export interface PceTcb {
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
}

export interface PcInfo {
  /** 384 bytes: RSA-3072-OAEP (SHA-256, empty label) of the PPID. */
  readonly encryptedPpid: Uint8Array;
  readonly pceSvn: number;
  readonly pceId: number;
  readonly signatureScheme: number;
}

/** n (384 bytes, big-endian) and e (4 bytes, big-endian). */
const ENCRYPTION_KEY_SIZE = 388;

function refuse(code: PceErrorCode, message: string, cause?: unknown): PlatformError {
  return new PlatformError(code, `PCE: ${message}`, { cause });
}

/** What the QE puts into its report's data when it asks for the PPID: binds the encryption key (spec: DCAP §5). */
export function encryptionKeyHash(cryptoSuite: number, encryptionKey: Uint8Array): Uint8Array {
  return createHash("sha256").update(Uint8Array.of(cryptoSuite)).update(encryptionKey).digest();
}

/** The provisioning certification enclave: knows the platform's identity (PPID) and signs for it (spec: DCAP §6). */
export class Pce {
  readonly #cpu: SoftwareCpu;
  readonly #reports: ReportMacChecker;

  constructor(cpu: SoftwareCpu) {
    this.#cpu = cpu;
    this.#reports = new ReportMacChecker(cpu.reporting.secrets, targetInfoOf(PCE_IDENTITY));
  }

  /** 512 bytes: whom reports to the PCE must be for. */
  get targetInfo(): Uint8Array {
    return targetInfoOf(PCE_IDENTITY);
  }

  /** The raw TCB: the highest the PCE certifies at. */
  get rawTcb(): PceTcb {
    return { cpuSvn: this.#cpu.svn, pceSvn: PCE_ISV_SVN };
  }

  /** 16 bytes, the same at every TCB: the platform's identity. Given in clear only to the software platform's own CA. */
  ppid(): Uint8Array {
    // A CMAC over 16 zero bytes under the PROVISION key of TCB zero.
    return Uint8Array.from(cmac(this.#provisionKey({ cpuSvn: new Uint8Array(16), pceSvn: 0 }), new Uint8Array(16)));
  }

  /**
   * get_pc_info: the PPID, encrypted to `encryptionKey` (388 bytes, n || e big-endian), for an enclave that may use the
   * provisioning key and whose report (432 bytes) names that key. Fails with PCE_* codes.
   */
  getPcInfo(report: Uint8Array, encryptionKey: Uint8Array, cryptoSuite: number): PcInfo {
    if (cryptoSuite !== PCE_CRYPTO_SUITE || encryptionKey.length !== ENCRYPTION_KEY_SIZE) {
      throw refuse(
        "PCE_INVALID_PARAMETER",
        `crypto suite ${cryptoSuite}, encryption key of ${encryptionKey.length} bytes`,
      );
    }
    this.#admit(report);
    const reportData = report.subarray(REPORT_OFFSET.REPORTDATA, REPORT_OFFSET.REPORTDATA + 64);
    const expected = new Uint8Array(64);
    expected.set(encryptionKeyHash(cryptoSuite, encryptionKey));
    if (!bytesEqual(reportData, expected)) {
      throw refuse("PCE_CRYPTO_ERROR", "the report's data is not the hash of the encryption key");
    }
    return {
      encryptedPpid: encryptPpid(this.ppid(), encryptionKey),
      pceSvn: PCE_ISV_SVN,
      pceId: PCE_ID,
      signatureScheme: PCE_SIGNATURE_SCHEME,
    };
  }

  /**
   * certify_enclave: the PCK key of `tcb` signs the report's 384-byte body (64 bytes, r || s). Fails with PCE_INVALID_TCB
   * above the raw TCB, and with PCE_INVALID_REPORT and PCE_INVALID_PRIVILEGE as get_pc_info does.
   */
  certifyEnclave(tcb: PceTcb, report: Uint8Array): Uint8Array {
    this.#admit(report);
    return signP256(this.#pckKey(tcb).privateKey, report.subarray(0, REPORT_BODY_SIZE));
  }

  /** 64 bytes x || y: what the PCK certificate of `tcb` certifies. */
  pckPublicKey(tcb: PceTcb): Uint8Array {
    return this.#pckKey(tcb).publicPoint;
  }

  /**
   * 64 bytes r || s: the PCK key of `tcb` signs a statement, which proves who has it. Refuses what has the size of a
   * report's body: such a signature would pass as the certification of a quoting enclave.
   */
  proveKey(tcb: PceTcb, statement: Uint8Array): Uint8Array {
    if (statement.length === REPORT_BODY_SIZE) {
      throw refuse("PCE_INVALID_PARAMETER", `a statement of ${REPORT_BODY_SIZE} bytes could be a report's body`);
    }
    return signP256(this.#pckKey(tcb).privateKey, statement);
  }

  /** The TCBs that this platform can certify at now: its own and those it may go back to. */
  get certifiableTcbs(): readonly PceTcb[] {
    return CPU_SVN_NAMES.map((name) => CPU_SVNS[name])
      .filter((cpuSvn) => derivableCpuSvn(this.#cpu.svnName, cpuSvn) !== undefined)
      .map((cpuSvn) => ({ cpuSvn, pceSvn: PCE_ISV_SVN }));
  }

  #admit(report: Uint8Array): void {
    if (report.length !== REPORT_SIZE) throw refuse("PCE_INVALID_PARAMETER", `a report of ${report.length} bytes`);
    if (!this.#reports.check(report)) throw refuse("PCE_INVALID_REPORT", "the report's MAC is not for the PCE");
    const { flags } = decodeAttributes(report.subarray(REPORT_OFFSET.ATTRIBUTES, REPORT_OFFSET.ATTRIBUTES + 16));
    if ((flags & ATTRIBUTE_FLAGS.PROVISIONKEY) === 0n) {
      throw refuse("PCE_INVALID_PRIVILEGE", "the enclave has no PROVISIONKEY attribute");
    }
  }

  #pckKey(tcb: PceTcb): P256KeyPair {
    return p256KeyPair(deriveP256Scalar(this.#provisionKey(tcb), "PAK_KEY_DER"));
  }

  #provisionKey(tcb: PceTcb): Uint8Array {
    try {
      return this.#cpu.egetkey(PCE_IDENTITY, {
        keyName: KEY_NAME.PROVISION,
        keyPolicy: 0,
        isvSvn: tcb.pceSvn,
        cpuSvn: tcb.cpuSvn,
        attributeMask: { flags: ~ATTRIBUTE_FLAGS.MODE64BIT & 0xffff_ffff_ffff_ffffn, xfrm: 0n },
        keyId: new Uint8Array(32),
        miscMask: 0xffff_ffff,
        configSvn: 0,
      });
    } catch (cause) {
      if (!(cause instanceof PlatformError)) throw cause;
      throw refuse("PCE_INVALID_TCB", "the TCB asked for is above the platform's", cause);
    }
  }
}

function encryptPpid(ppid: Uint8Array, encryptionKey: Uint8Array): Uint8Array {
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  try {
    const key = createPublicKey({
      key: { kty: "RSA", n: base64url(encryptionKey.subarray(0, 384)), e: base64url(encryptionKey.subarray(384)) },
      format: "jwk",
    });
    return Uint8Array.from(publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, ppid));
  } catch (cause) {
    throw refuse("PCE_CRYPTO_ERROR", "the PPID could not be encrypted", cause);
  }
}
