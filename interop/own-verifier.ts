import { X509Certificate } from "node:crypto";
import { INTEL_SGX_ROOT_KEY, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import type { Verdict, VerifierQuestion } from "./foreign-peers.ts";
import { SGX_STATUS_NAME } from "./tcb-status-name.ts";

/** The answer of `packages/verify` to what the foreign verifiers are asked, in their words. */
export function verifyWithOwn(question: VerifierQuestion): Verdict {
  const { quote, collateral, rootPem, now } = question;
  const trustedRoots = [rootPem === undefined ? INTEL_SGX_ROOT_KEY : rootPoint(rootPem)];
  const verdict = verifyQuote(quote, collateral, { now, trustedRoots, crypto: nodeCrypto });
  if (verdict.ret !== 0) return { accepted: false, error: `${verdict.retName} (${verdict.status}): ${verdict.reason}` };
  const status = SGX_STATUS_NAME[verdict.result];
  if (status === undefined) throw new Error(`packages/verify answers ${verdict.result} for an SGX quote`);
  return { accepted: true, status, advisoryIds: verdict.advisories };
}

/** The 65-byte uncompressed point of a certificate's P-256 key. */
function rootPoint(pem: string): Uint8Array {
  const spki = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return spki.subarray(spki.length - 65);
}
