import { ATTRIBUTE_FLAGS, bytesEqual, decodeTargetInfo } from "@confcom/sgx";
import { p256PublicPoint } from "../../crypto/p256.ts";
import { PlatformError } from "../../errors.ts";
import { targetInfoOf } from "../cpu/enclave-identity.ts";
import type { RandomBytes } from "../cpu/fuses.ts";
import type { SoftwareCpu } from "../cpu/software-cpu.ts";
import { encryptionKeyHash, type PceTcb, type PcInfo } from "../pce/pce.ts";
import { PCE_CRYPTO_SUITE } from "../pce/pce-identity.ts";
import { attestationScalar, ecdsaId, qeId } from "./attestation-key.ts";
import {
  CERTIFICATION_KEY_TYPE,
  ECDSA_BLOB_SIZE,
  type EcdsaBlob,
  sealEcdsaBlob,
  unsealEcdsaBlob,
} from "./ecdsa-blob.ts";
import { QE_AUTH_DATA, QE_IDENTITY, QE_ISV_SVN } from "./qe-identity.ts";

/**
 * The parts of the quoting enclave that make and keep the attestation key (spec: DCAP §5). What it does for each quote
 * is in quote-maker.ts, because threads without the fuses do that.
 */
export class QuotingEnclave {
  readonly #cpu: SoftwareCpu;
  readonly #random: RandomBytes;

  constructor(cpu: SoftwareCpu, random: RandomBytes) {
    this.#cpu = cpu;
    this.#random = random;
  }

  /** 512 bytes: whom reports to be quoted must be for. */
  get targetInfo(): Uint8Array {
    return targetInfoOf(QE_IDENTITY);
  }

  /**
   * get_pce_encrypt_key: a report to the PCE (432 bytes) that names the key (388 bytes, n || e big-endian) to which the
   * PPID is to be encrypted.
   */
  encryptionKeyReport(pceTargetInfo: Uint8Array, encryptionKey: Uint8Array): Uint8Array {
    return this.#cpu.ereport(QE_IDENTITY, pceTargetInfo, encryptionKeyHash(PCE_CRYPTO_SUITE, encryptionKey));
  }

  /**
   * gen_att_key: the key of the current TCB with a report to the PCE over it, not yet certified. Fails with
   * QE_INVALID_PARAMETER when the target is no PCE.
   */
  generateKey(pceTargetInfo: Uint8Array, pce: PcInfo): EcdsaBlob {
    const { flags } = decodeTargetInfo(pceTargetInfo).attributes;
    if ((flags & ATTRIBUTE_FLAGS.PROVISIONKEY) === 0n || (flags & ATTRIBUTE_FLAGS.DEBUG) !== 0n) {
      throw new PlatformError("QE_INVALID_PARAMETER", "the PCE must have PROVISIONKEY and must not be a debug enclave");
    }
    const privateKey = attestationScalar(this.#cpu);
    const publicKey = p256PublicPoint(privateKey);
    const id = ecdsaId(publicKey, QE_AUTH_DATA);
    return {
      certTcb: { cpuSvn: new Uint8Array(16), pceSvn: 0 },
      certQeIsvSvn: QE_ISV_SVN,
      certPceId: pce.pceId,
      certificationKeyType: CERTIFICATION_KEY_TYPE,
      rawTcb: { cpuSvn: this.#cpu.svn, pceSvn: pce.pceSvn },
      rawPceId: pce.pceId,
      signatureScheme: pce.signatureScheme,
      pceTargetInfo,
      qeReport: this.#cpu.ereport(QE_IDENTITY, pceTargetInfo, id),
      qeReportSignature: new Uint8Array(64),
      publicKey,
      ecdsaId: id,
      sealCpuSvn: this.#cpu.svn,
      sealQeIsvSvn: QE_ISV_SVN,
      authData: QE_AUTH_DATA,
      qeId: qeId(this.#cpu),
      privateKey,
      cryptoSuite: PCE_CRYPTO_SUITE,
      encryptedPpid: pce.encryptedPpid,
    };
  }

  /** ECDSA_ID (32 bytes) of the key that {@link generateKey} makes at the current TCB. */
  get presentKeyId(): Uint8Array {
    return ecdsaId(p256PublicPoint(attestationScalar(this.#cpu)), QE_AUTH_DATA);
  }

  /** store_cert_data: the key with the PCE's signature (64 bytes) at `tcb` over its report. */
  storeCertData(key: EcdsaBlob, tcb: PceTcb, signature: Uint8Array): EcdsaBlob {
    return { ...key, certTcb: tcb, qeReportSignature: signature };
  }

  /** 2205 bytes for storage, sealed at the current TCB. */
  seal(key: EcdsaBlob): Uint8Array {
    return sealEcdsaBlob(this.#cpu, key, this.#random);
  }

  /**
   * verify_blob: the key inside, and whether it was sealed at another TCB and must be sealed again. Fails with
   * QE_BLOB_ERROR on damage, EGETKEY_INVALID_* when the blob is from a TCB above the current one.
   */
  verifyBlob(sealed: Uint8Array): { readonly key: EcdsaBlob; readonly reseal: boolean } {
    if (sealed.length !== ECDSA_BLOB_SIZE) {
      throw new PlatformError("QE_BLOB_ERROR", `the key blob has ${sealed.length} bytes, not ${ECDSA_BLOB_SIZE}`);
    }
    const key = unsealEcdsaBlob(this.#cpu, sealed);
    const current = bytesEqual(key.sealCpuSvn, this.#cpu.svn) && key.sealQeIsvSvn === QE_ISV_SVN;
    return { key, reseal: !current };
  }
}
