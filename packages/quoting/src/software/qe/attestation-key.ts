import { createHash } from "node:crypto";
import { ATTRIBUTE_FLAGS, KEY_NAME, KEY_POLICY, type KeyRequest } from "@confcom/sgx";
import { deriveP256Scalar, deriveQeId } from "../../crypto/key-derivation.ts";
import type { SoftwareCpu } from "../cpu/software-cpu.ts";
import { ID_ENCLAVE_IDENTITY, QE_IDENTITY, QE_ISV_SVN } from "./qe-identity.ts";

/** The SEAL key request of QE and ID enclave for their own secrets: by signer, whatever the mode's word size. */
function ownKeyRequest(cpuSvn: Uint8Array, isvSvn: number): KeyRequest {
  return {
    keyName: KEY_NAME.SEAL,
    keyPolicy: KEY_POLICY.MRSIGNER,
    isvSvn,
    cpuSvn,
    attributeMask: { flags: ~ATTRIBUTE_FLAGS.MODE64BIT & 0xffff_ffff_ffff_ffffn, xfrm: 0n },
    keyId: new Uint8Array(32),
    miscMask: 0xffff_ffff,
    configSvn: 0,
  };
}

/**
 * The attestation private key at the CPU's current TCB: 32 bytes, big-endian (spec: DCAP §5). It follows from the fuses,
 * CPUSVN and QE ISVSVN alone, so a lost key blob is made again with the same key.
 */
export function attestationScalar(cpu: SoftwareCpu): Uint8Array {
  return deriveP256Scalar(cpu.egetkey(QE_IDENTITY, ownKeyRequest(cpu.svn, QE_ISV_SVN)), "QE_ATT_DER");
}

/** QE_ID: 16 bytes, the same at every TCB; the platform's name towards provisioning services (spec: DCAP §5). */
export function qeId(cpu: SoftwareCpu): Uint8Array {
  return deriveQeId(cpu.egetkey(ID_ENCLAVE_IDENTITY, ownKeyRequest(new Uint8Array(16), 0)));
}

/** ECDSA_ID, the pub_key_id that callers get: SHA-256 of x || y (64 bytes) and the authentication data. 32 bytes. */
export function ecdsaId(publicPoint: Uint8Array, authData: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(publicPoint).update(authData).digest());
}
