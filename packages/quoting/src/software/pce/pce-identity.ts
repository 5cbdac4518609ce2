import { createHash } from "node:crypto";
import { ATTRIBUTE_FLAGS } from "@confcom/sgx";
import { type EnclaveIdentity, enclaveIdentity, XFRM_LEGACY } from "../cpu/enclave-identity.ts";

/** There is one PCE identity (spec: DCAP §6). */
export const PCE_ID = 0;
/** Security version of the PCE; goes into quote headers and PCK certificates. */
export const PCE_ISV_SVN = 16;
/** ECDSA P-256 with SHA-256. */
export const PCE_SIGNATURE_SCHEME = 0;
/** RSA-3072 OAEP with SHA-256. */
export const PCE_CRYPTO_SUITE = 1;

const measured = (text: string) => Uint8Array.from(createHash("sha256").update(text).digest());

/** The PCE says of itself what it is: its measurements are hashes of plain words, nobody's enclave. */
export const PCE_IDENTITY: EnclaveIdentity = enclaveIdentity({
  mrEnclave: measured("confcom software PCE"),
  mrSigner: measured("confcom software PCE signer"),
  attributes: {
    flags: ATTRIBUTE_FLAGS.INIT | ATTRIBUTE_FLAGS.MODE64BIT | ATTRIBUTE_FLAGS.PROVISIONKEY,
    xfrm: XFRM_LEGACY,
  },
  isvProdId: 1,
  isvSvn: PCE_ISV_SVN,
});
