import { ATTRIBUTE_FLAGS, type Attributes, encodeTargetInfo } from "@confcom/sgx";

/** What the CPU knows of an initialised enclave (its SECS) and puts into reports and keys (spec: DCAP §1, §2). */
export interface EnclaveIdentity {
  /** 32 bytes. */
  readonly mrEnclave: Uint8Array;
  /** 32 bytes. */
  readonly mrSigner: Uint8Array;
  readonly attributes: Attributes;
  readonly miscSelect: number;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly configSvn: number;
  /** 64 bytes. */
  readonly configId: Uint8Array;
  /** 16 bytes. */
  readonly isvFamilyId: Uint8Array;
  /** 16 bytes. */
  readonly isvExtProdId: Uint8Array;
}

/** The x87 and SSE state that every enclave has. */
export const XFRM_LEGACY = 0x3n;

/** Fills in an identity: production mode, 64 bit, no KSS, product 0, SVN 0, measurements zero. */
export function enclaveIdentity(fields: Partial<EnclaveIdentity>): EnclaveIdentity {
  return {
    mrEnclave: new Uint8Array(32),
    mrSigner: new Uint8Array(32),
    attributes: { flags: ATTRIBUTE_FLAGS.INIT | ATTRIBUTE_FLAGS.MODE64BIT, xfrm: XFRM_LEGACY },
    miscSelect: 0,
    isvProdId: 0,
    isvSvn: 0,
    configSvn: 0,
    configId: new Uint8Array(64),
    isvFamilyId: new Uint8Array(16),
    isvExtProdId: new Uint8Array(16),
    ...fields,
  };
}

/** The 512-byte target info that names this enclave as the one a report is for. */
export function targetInfoOf(identity: EnclaveIdentity): Uint8Array {
  return encodeTargetInfo(identity);
}
