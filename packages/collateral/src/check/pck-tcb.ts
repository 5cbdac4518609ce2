import { toHex } from "@confcom/sgx";
import type { PckChainFacts } from "@confcom/verify/documents";
import { unreadableAnswer, wrongAnswer } from "./answer-error.ts";

const TCBM = /^[0-9A-F]{36}$/i;

export function upperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}

/** TCBm of a certificate: CPUSVN, then PCESVN in little-endian bytes; 36 hexadecimal digits, upper case. */
export function certificateTcbm({ tcb }: Pick<PckChainFacts, "tcb">): string {
  const { cpuSvn, pceSvn } = tcb;
  return upperHex(cpuSvn) + upperHex(Uint8Array.of(pceSvn & 0xff, (pceSvn >> 8) & 0xff));
}

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
  if (certificateTcbm(facts) !== said.tcbm.toUpperCase()) {
    wrongAnswer(`the PCK certificate is for TCBm ${certificateTcbm(facts)}, not for ${said.tcbm}`);
  }
  if (upperHex(facts.fmspc) !== said.fmspc.toUpperCase()) {
    wrongAnswer(`the PCK certificate is of FMSPC ${upperHex(facts.fmspc)}, not of what the answer says`);
  }
  if (facts.ca !== said.ca) wrongAnswer(`the PCK certificate is of the ${facts.ca} CA, not of the ${said.ca} CA`);
}
