import { COLLATERAL_FIELDS, type Collateral } from "@confcom/sgx";
import type { CollateralAnswer } from "../../answer.ts";
import type { CollateralRequest } from "../../request.ts";
import { crlDer } from "../crl-answer.ts";
import { signedJsonText } from "../json-answer.ts";
import { issuerChainPem } from "../pem-answer.ts";
import { caOfChain, isDocumentOf } from "./document-facts.ts";

/** Whether parsed JSON is a collateral of nine texts, as verifiers exchange it (spec: DCAP §11). */
export function isNineFields(value: unknown): value is Collateral {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return COLLATERAL_FIELDS.every((name) => typeof fields[name] === "string");
}

const encoder = new TextEncoder();

/** What a collateral of nine fields answers to a request, undefined if it is for something else. Fails with SOURCE_ANSWER. */
export function nineFieldsAnswer(
  request: CollateralRequest,
  collateral: Collateral,
  source: string,
): CollateralAnswer | undefined {
  switch (request.kind) {
    case "tcb-info": {
      const text = `{"tcbInfo":${collateral.tcb_info},"signature":"${collateral.tcb_info_signature}"}`;
      const body = signedJsonText(encoder.encode(text), "tcbInfo", source);
      if (!isDocumentOf(request, body, source)) return undefined;
      const issuerChain = issuerChainPem(collateral.tcb_info_issuer_chain, source, "tcb_info_issuer_chain");
      return { kind: request.kind, body, issuerChain };
    }
    case "identity": {
      const text = `{"enclaveIdentity":${collateral.qe_identity},"signature":"${collateral.qe_identity_signature}"}`;
      const body = signedJsonText(encoder.encode(text), "enclaveIdentity", source);
      if (!isDocumentOf(request, body, source)) return undefined;
      const issuerChain = issuerChainPem(collateral.qe_identity_issuer_chain, source, "qe_identity_issuer_chain");
      return { kind: request.kind, body, issuerChain };
    }
    case "pck-crl": {
      const issuerChain = issuerChainPem(collateral.pck_crl_issuer_chain, source, "pck_crl_issuer_chain");
      if (caOfChain(issuerChain, source) !== request.ca) return undefined;
      return { kind: request.kind, crl: crlDer(encoder.encode(collateral.pck_crl), source, "pck_crl"), issuerChain };
    }
    case "root-ca-crl":
      return { kind: request.kind, crl: crlDer(encoder.encode(collateral.root_ca_crl), source, "root_ca_crl") };
    default:
      return undefined;
  }
}
