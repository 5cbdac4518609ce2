import type { Collateral } from "@confcom/sgx";

/**
 * What the software platform asks of whoever issues its certificates: the part Intel's provisioning service plays for
 * a hardware platform (spec: DCAP §8, §9, §12). Implemented in `provisioning/`, which is loaded only when something
 * must be issued: a start with existing state reads the stored PCK chain and never loads certificate-issuing code.
 */

/** A PCK certificate is asked for by platform (PPID), TCB and key (spec: DCAP §6: one PCK key per TCB). */
export interface PckRequest {
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  /** 16 bytes: the platform's raw CPUSVN. */
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
  readonly pceId: number;
  /** 64 bytes x || y, big-endian: the PCK public key for this TCB. */
  readonly pckPublicKey: Uint8Array;
  /** For an authority that must have the platform registered first; asked only then, because proofs cost signatures. */
  readonly registrant?: () => PlatformRegistrant;
}

/** A TCB that a platform can certify at, and its PCK public key. */
export interface PckTcbKey {
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
  /** 64 bytes x || y, big-endian. */
  readonly pckPublicKey: Uint8Array;
}

/** What QE and PCE say of their platform when it registers. */
export interface PlatformRegistrant {
  /** 16 bytes. */
  readonly qeId: Uint8Array;
  /** Every TCB that the platform can certify at now: its own and those below. */
  readonly keys: readonly PckTcbKey[];
  /** 64 bytes r || s: the PCK key of this TCB signs a statement, which proves that it is the platform's. */
  proveKey(key: PckTcbKey, statement: Uint8Array): Uint8Array;
}

/** The issued chain and the TCB it stands for (TCBm), at which the PCE then certifies the quoting enclave. */
export interface PckChain {
  /** PEM: leaf, intermediate, root; no trailing NUL. */
  readonly chainPem: string;
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
}

/** RSA-3072 public key that PPIDs are encrypted to; the private half stays with the authority (spec: DCAP §5). */
export interface PpidEncryptionKey {
  /** 384 bytes, big-endian. */
  readonly n: Uint8Array;
  /** 4 bytes, big-endian: 00 01 00 01. */
  readonly e: Uint8Array;
}

export interface ProvisioningAuthority {
  /** PEM: what the chains it hands out end in. */
  readonly rootCertificatePem: string;
  /**
   * True when it is somewhere else and may not answer: a platform then starts without a certificate, and init_quote
   * says why there is none.
   */
  readonly remote?: boolean;
  readonly encryptionKey: PpidEncryptionKey;
  /** Issues the PCK certificate for a TCB; deterministic in its subject, never in its signature. */
  pckChain(request: PckRequest): Promise<PckChain>;
  /** The complete collateral set, signed anew when under 10 days remain. `platform` is the CA that issues PCK certificates. */
  collateral(ca?: "platform" | "processor"): Promise<Collateral>;
}

/** What an authority must belong to, so that no other installation's is taken for it. */
export type AuthorityBinding = CpuBinding | ServiceBinding;

/** An authority in a platform's own state directory: it certifies that platform's CPU and no other. */
export interface CpuBinding {
  /** Commitment to the fuses of the CPU it certifies: 32 bytes in hex. */
  readonly fuses: string;
  /** PEM: the root certificate in use by this process, at a reload; STATE_REPLACED when there is another one, or none. */
  readonly root?: string;
}

/** An authority that stands behind a service and certifies every platform that registers there. */
export interface ServiceBinding {
  readonly serves: "platforms";
  /** PEM: the root certificate in use by this process, at a reload; STATE_REPLACED when there is another one, or none. */
  readonly root?: string;
}

/** The quoting enclave's identity, which the authority's QE identity document repeats (spec: DCAP §9). */
export interface QeIdentityFacts {
  /** 32 bytes. */
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly miscSelect: number;
  /** `ATTRIBUTES.flags` and `.xfrm` as the enclave has them; the document masks them. */
  readonly attributes: { readonly flags: bigint; readonly xfrm: bigint };
}
