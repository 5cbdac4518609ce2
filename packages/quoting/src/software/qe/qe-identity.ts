import { createHash } from "node:crypto";
import { ATTRIBUTE_FLAGS } from "@confcom/sgx";
import { type EnclaveIdentity, enclaveIdentity, XFRM_LEGACY } from "../cpu/enclave-identity.ts";

/** Security version of the software QE; goes into quote headers and the QE identity document. */
export const QE_ISV_SVN = 11;

const measured = (text: string) => Uint8Array.from(createHash("sha256").update(text).digest());
const PRODUCTION_WITH_PROVISIONING = {
  flags: ATTRIBUTE_FLAGS.INIT | ATTRIBUTE_FLAGS.MODE64BIT | ATTRIBUTE_FLAGS.PROVISIONKEY,
  xfrm: XFRM_LEGACY,
};

/**
 * The quoting enclave. Clients hard-code Intel's QE in the attestation key id and the vendor id, so those are Intel's;
 * the enclave's own measurements, which only verifiers look at and against the platform's QE identity, are honest:
 * hashes of plain words.
 */
export const QE_IDENTITY: EnclaveIdentity = enclaveIdentity({
  mrEnclave: measured("confcom software QE"),
  mrSigner: measured("confcom software QE signer"),
  attributes: PRODUCTION_WITH_PROVISIONING,
  isvProdId: 1,
  isvSvn: QE_ISV_SVN,
});

/** The ID enclave, which alone derives QE_ID (spec: DCAP §5): of another product and signer than the QE. */
export const ID_ENCLAVE_IDENTITY: EnclaveIdentity = enclaveIdentity({
  mrEnclave: measured("confcom software ID enclave"),
  mrSigner: measured("confcom software ID enclave signer"),
  attributes: PRODUCTION_WITH_PROVISIONING,
  isvProdId: 2,
  isvSvn: 1,
});

/** Authentication data of every attestation key: 00, 01, ... 1f (spec: DCAP §5). */
export const QE_AUTH_DATA: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => i);
