import { X509Certificate } from "node:crypto";
import type { QvResultName } from "@confcom/sgx";
import { INTEL_SGX_ROOT_KEY, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import type { Verdict, VerifierQuestion } from "./foreign-peers.ts";

/** Intel's result names and the TCB status names that the foreign verifiers answer with (spec: DCAP §9, §11). */
const STATUS_OF_RESULT: Readonly<Partial<Record<QvResultName, string>>> = {
  OK: "UpToDate",
  SW_HARDENING_NEEDED: "SWHardeningNeeded",
  CONFIG_NEEDED: "ConfigurationNeeded",
  CONFIG_AND_SW_HARDENING_NEEDED: "ConfigurationAndSWHardeningNeeded",
  OUT_OF_DATE: "OutOfDate",
  OUT_OF_DATE_CONFIG_NEEDED: "OutOfDateConfigurationNeeded",
};

/** The answer of `packages/verify` to what the foreign verifiers are asked, in their words. */
export function verifyWithOwn(question: VerifierQuestion): Verdict {
  const { quote, collateral, rootPem, now } = question;
  const trustedRoots = [rootPem === undefined ? INTEL_SGX_ROOT_KEY : rootPoint(rootPem)];
  const verdict = verifyQuote(quote, collateral, { now, trustedRoots, crypto: nodeCrypto });
  if (verdict.ret !== 0) return { accepted: false, error: `${verdict.retName} (${verdict.status}): ${verdict.reason}` };
  const status = STATUS_OF_RESULT[verdict.result];
  if (status === undefined) throw new Error(`packages/verify answers ${verdict.result} for an SGX quote`);
  return { accepted: true, status, advisoryIds: verdict.advisories };
}

/** The 65-byte uncompressed point of a certificate's P-256 key. */
function rootPoint(pem: string): Uint8Array {
  const spki = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return spki.subarray(spki.length - 65);
}
