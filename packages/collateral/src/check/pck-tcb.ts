import type { PckChainFacts } from "@confcom/verify/documents";
import { tcbmOf, upperHex } from "../hexadecimal.ts";
import { unreadableAnswer, wrongAnswer } from "./answer-error.ts";

const TCBM = /^[0-9A-F]{36}$/i;

/** PCEID as requests have it: the certificate's two bytes are most significant first, a request's the other way. */
export function certificatePceId({ pceId }: Pick<PckChainFacts, "pceId">): string {
  return upperHex(pceId.slice().reverse());
}

/** Checks what a service says of a certificate against the certificate itself. */
export function checkSaid(
  facts: PckChainFacts,
  said: { readonly tcbm: string; readonly fmspc: string; readonly ca: string },
): void {
  if (!TCBM.test(said.tcbm)) unreadableAnswer("TCBm is not 36 hexadecimal digits");
  if (tcbmOf(facts.tcb) !== said.tcbm.toUpperCase()) {
    wrongAnswer(`the PCK certificate is for TCBm ${tcbmOf(facts.tcb)}, not for ${said.tcbm}`);
  }
  if (upperHex(facts.fmspc) !== said.fmspc.toUpperCase()) {
    wrongAnswer(`the PCK certificate is of FMSPC ${upperHex(facts.fmspc)}, not of what the answer says`);
  }
  if (facts.ca !== said.ca) wrongAnswer(`the PCK certificate is of the ${facts.ca} CA, not of the ${said.ca} CA`);
}
