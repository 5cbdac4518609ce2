import type { Collateral } from "@confcom/sgx";
import { fromHex } from "@confcom/sgx";
import type { ProvisioningAuthority } from "../provisioning-authority.ts";

/**
 * What `collateral export` writes into a directory:
 *
 * | file | content |
 * |---|---|
 * | `root-ca.pem` | the root certificate: what a verifier is told to trust |
 * | `root-ca-crl.der` | CRL of the root |
 * | `pck-crl-platform.der`, `pck-crl-processor.der` | CRLs of the two PCK CAs |
 * | `pck-crl-platform-issuer-chain.pem`, `pck-crl-processor-issuer-chain.pem` | PCK CA, then root |
 * | `tcb-info.json` | `{"tcbInfo":{...},"signature":"..."}`, byte for byte as the PCS serves it |
 * | `tcb-info-issuer-chain.pem` | TCB signing, then root |
 * | `qe-identity.json` | `{"enclaveIdentity":{...},"signature":"..."}` |
 * | `qe-identity-issuer-chain.pem` | TCB signing, then root |
 * | `collateral.json` | all of it for PCK certificates of the Platform CA, as verifiers of this project read it |
 */
export async function collateralFiles(authority: ProvisioningAuthority): Promise<ReadonlyMap<string, Uint8Array>> {
  const platform = await authority.collateral("platform");
  const processor = await authority.collateral("processor");
  const text = (value: string) => new TextEncoder().encode(value);
  return new Map([
    ["root-ca.pem", text(authority.rootCertificatePem)],
    ["root-ca-crl.der", fromHex(platform.root_ca_crl)],
    ["pck-crl-platform.der", fromHex(platform.pck_crl)],
    ["pck-crl-processor.der", fromHex(processor.pck_crl)],
    ["pck-crl-platform-issuer-chain.pem", text(platform.pck_crl_issuer_chain)],
    ["pck-crl-processor-issuer-chain.pem", text(processor.pck_crl_issuer_chain)],
    // Put together as text: the signature is over the inner object's exact bytes.
    ["tcb-info.json", text(`{"tcbInfo":${platform.tcb_info},"signature":"${platform.tcb_info_signature}"}`)],
    ["tcb-info-issuer-chain.pem", text(platform.tcb_info_issuer_chain)],
    [
      "qe-identity.json",
      text(`{"enclaveIdentity":${platform.qe_identity},"signature":"${platform.qe_identity_signature}"}`),
    ],
    ["qe-identity-issuer-chain.pem", text(platform.qe_identity_issuer_chain)],
    ["collateral.json", collateralJson(platform)],
  ]);
}

/** The nine members as one JSON object, in one file. */
export function collateralJson(collateral: Collateral): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(collateral, null, 2)}\n`);
}
