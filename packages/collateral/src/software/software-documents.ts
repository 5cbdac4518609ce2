import { FMSPC, PCK_CRL_URIS, ROOT_CRL_URI, type SoftwareProvisioningAuthority } from "@confcom/quoting/provisioning";
import { fromHex } from "@confcom/sgx";
import type { CollateralAnswer } from "../answer.ts";
import { CollateralError } from "../errors.ts";
import { upperHex } from "../hexadecimal.ts";
import type { CertificationCa, CollateralRequest } from "../request.ts";

/** 12 hexadecimal digits, upper case: the platform family of all software platforms. */
export const SOFTWARE_FMSPC = upperHex(FMSPC);

export type DocumentRequest = Exclude<CollateralRequest, { readonly kind: "pck-certificate" }>;

/**
 * What the authority signs for verifiers, as the provisioning service would serve it. There is one TCB evaluation, so
 * `early` is answered as `standard` is; version 2 of TCB info is served to version 3 of the API. Fails with NOT_FOUND
 * for what the software platform does not have: TDX, the quote verification enclave, other FMSPCs, others' CRLs.
 */
export async function softwareDocument(
  authority: SoftwareProvisioningAuthority,
  request: DocumentRequest,
): Promise<CollateralAnswer> {
  switch (request.kind) {
    case "pck-crl":
      return pckCrl(authority, request.ca);
    case "root-ca-crl":
      if (request.url !== undefined && request.url !== ROOT_CRL_URI) throw foreignCrl(request.url);
      return { kind: "root-ca-crl", crl: fromHex((await authority.collateral()).root_ca_crl) };
    case "crl":
      return { kind: "crl", crl: await crlAt(authority, request.url) };
    case "tcb-info": {
      if (request.tee !== "sgx") throw notFound("TDX: the software platform is an SGX platform");
      if (request.fmspc.toUpperCase() !== SOFTWARE_FMSPC) {
        throw notFound(`FMSPC ${request.fmspc}: the software platform's is ${SOFTWARE_FMSPC}`);
      }
      const { tcb_info, tcb_info_signature, tcb_info_issuer_chain } = await authority.collateral();
      const signed =
        request.version === 4 ? { text: tcb_info, signature: tcb_info_signature } : await authority.tcbInfoVersion2();
      // Put together as text: the signature is over the inner object's exact bytes.
      const body = `{"tcbInfo":${signed.text},"signature":"${signed.signature}"}`;
      return { kind: "tcb-info", body, issuerChain: tcb_info_issuer_chain };
    }
    case "identity": {
      if (request.id !== "QE") throw notFound(`${request.id} identity: the software platform has no such enclave`);
      const { qe_identity, qe_identity_signature, qe_identity_issuer_chain } = await authority.collateral();
      const body = `{"enclaveIdentity":${qe_identity},"signature":"${qe_identity_signature}"}`;
      return { kind: "identity", body, issuerChain: qe_identity_issuer_chain };
    }
  }
}

async function pckCrl(authority: SoftwareProvisioningAuthority, ca: CertificationCa): Promise<CollateralAnswer> {
  const { pck_crl, pck_crl_issuer_chain } = await authority.collateral(ca);
  return { kind: "pck-crl", crl: fromHex(pck_crl), issuerChain: pck_crl_issuer_chain };
}

async function crlAt(authority: SoftwareProvisioningAuthority, url: string): Promise<Uint8Array> {
  if (url === ROOT_CRL_URI) return fromHex((await authority.collateral()).root_ca_crl);
  for (const ca of ["platform", "processor"] as const) {
    if (url === PCK_CRL_URIS[ca]) return fromHex((await authority.collateral(ca)).pck_crl);
  }
  throw foreignCrl(url);
}

function foreignCrl(url: string): CollateralError {
  return notFound(`CRL at ${JSON.stringify(url.slice(0, 200))}: it is none of this authority's`);
}

function notFound(what: string): CollateralError {
  return new CollateralError("NOT_FOUND", `the software platform's authority has no ${what}`);
}
