import type { Collateral } from "@confcom/sgx";
import { toHex } from "@confcom/sgx";
import { CollateralError } from "../../errors.ts";
import type { CertificationCa } from "../../request.ts";
import type { CollateralSource } from "../../source.ts";
import { SOFTWARE_FMSPC } from "../software-documents.ts";

/** Parts of `{"NAME":{...},"signature":"..."}`, the inner object exactly as it stands there. */
const SIGNED_JSON =
  /^\s*\{\s*"(?:tcbInfo|enclaveIdentity)"\s*:\s*(\{.*\})\s*,\s*"signature"\s*:\s*"([0-9a-fA-F]{128})"\s*\}\s*$/s;

/** Everything a verifier of the software platform's quotes wants, from one source, unchecked. Fails with CollateralError. */
export async function serviceCollateral(
  source: CollateralSource,
  ca: CertificationCa,
  signal: AbortSignal,
): Promise<Collateral> {
  const terms = { update: "standard", version: 4 } as const;
  const options = { signal };
  const [pckCrl, rootCrl, tcbInfo, qeIdentity] = await Promise.all([
    source.fetch({ kind: "pck-crl", ca }, options),
    source.fetch({ kind: "root-ca-crl" }, options),
    source.fetch({ kind: "tcb-info", tee: "sgx", fmspc: SOFTWARE_FMSPC, ...terms }, options),
    source.fetch({ kind: "identity", id: "QE", ...terms }, options),
  ]);
  const [tcb_info, tcb_info_signature] = partsOf(tcbInfo.answer.body, source.name);
  const [qe_identity, qe_identity_signature] = partsOf(qeIdentity.answer.body, source.name);
  return {
    pck_crl_issuer_chain: pckCrl.answer.issuerChain,
    root_ca_crl: toHex(rootCrl.answer.crl),
    pck_crl: toHex(pckCrl.answer.crl),
    tcb_info_issuer_chain: tcbInfo.answer.issuerChain,
    tcb_info,
    tcb_info_signature,
    qe_identity_issuer_chain: qeIdentity.answer.issuerChain,
    qe_identity,
    qe_identity_signature,
  };
}

function partsOf(body: string, source: string): [string, string] {
  const [, text, signature] = SIGNED_JSON.exec(body) ?? [];
  if (text !== undefined && signature !== undefined) return [text, signature];
  throw new CollateralError("SOURCE_ANSWER", `${source}: a signed JSON document is not in its form`, { source });
}
