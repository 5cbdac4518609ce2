import { BUDGETS } from "../budgets.ts";
import { parseTcbInfo, type TcbInfo } from "../collateral/tcb-info.ts";
import type { Step } from "../crypto.ts";
import type { Memory } from "../memory.ts";
import { Rejection } from "../status.ts";
import { isSignedBy } from "../steps/signatures.ts";
import type { Signed } from "../x509/certificate.ts";
import type { IdentityDocument, IdentityFacts, TcbInfoDocument, TcbInfoFacts } from "./document.ts";
import { checkSignedJsonForm } from "./form.ts";
import { type Trust, verifyTcbSigner } from "./issuer.ts";
import { DocumentRefusal, malformed, readable, untrusted } from "./refusal.ts";

function checkSize(body: string): void {
  if (typeof body !== "string") malformed("the document is not text");
  if (body.length > BUDGETS.fieldBytes) malformed(`the document has ${body.length} characters`);
  if (body.includes("\0")) malformed("the document contains a NUL");
}

/** Verifies signer and signature; gives the end of the signing chain, in seconds. */
function* verifySignature(memory: Memory, document: Signed, issuerChain: string, trust: Trust): Step<number> {
  const { root, issuer } = yield* verifyTcbSigner(memory, "tcbIssuerChain", issuerChain, trust);
  if (!(yield* isSignedBy(document, issuer))) untrusted("the document's signature is wrong");
  return Math.min(issuer.notAfter, root.notAfter);
}

/**
 * Reads a whole TCB info for what it says; its signature is not checked. Throws DocumentRefusal `malformed`, as for a
 * version other than 2 and 3.
 */
export function readTcbInfo(body: string): TcbInfo {
  checkSize(body);
  try {
    return parseTcbInfo(new TextEncoder().encode(body));
  } catch (error) {
    if (error instanceof Rejection) throw new DocumentRefusal("malformed", error.message, error.status);
    throw error;
  }
}

/** Checks a TCB info, version 2 or 3, of SGX or TDX, under its chain (spec: DCAP §9, §10 C). */
export function* checkTcbInfo(memory: Memory, document: TcbInfoDocument, trust: Trust): Step<TcbInfoFacts> {
  const { body, issuerChain } = document;
  checkSize(body);
  const info = readable(yield* memory.parsed("tcbInfo", "tcbInfo", body));
  checkSignedJsonForm(body, "tcbInfo", info.signedBytes);
  const end = yield* verifySignature(memory, info, issuerChain, trust);
  const { version, fmspc, pceId, tcbEvaluationDataNumber, tcbLevels } = info;
  return {
    kind: "tcb-info",
    version,
    tee: info.id === "TDX" ? "tdx" : "sgx",
    fmspc,
    pceId,
    tcbEvaluationDataNumber,
    tcbLevels,
    issued: info.issueDate * 1000,
    nextUpdate: Math.min(info.nextUpdate, end) * 1000,
  };
}

/** Checks an enclave identity: QE, TD_QE or QVE (spec: DCAP §9, §10 C). */
export function* checkIdentity(memory: Memory, document: IdentityDocument, trust: Trust): Step<IdentityFacts> {
  const { body, issuerChain } = document;
  checkSize(body);
  const identity = readable(yield* memory.parsed("qeIdentity", "identity", body));
  checkSignedJsonForm(body, "enclaveIdentity", identity.signedBytes);
  const end = yield* verifySignature(memory, identity, issuerChain, trust);
  const { id, tcbEvaluationDataNumber, tcbLevels } = identity;
  return {
    kind: "identity",
    id,
    tcbEvaluationDataNumber,
    tcbLevels,
    issued: identity.issueDate * 1000,
    nextUpdate: Math.min(identity.nextUpdate, end) * 1000,
  };
}
