import { type Collateral, toHex } from "@confcom/sgx";
import type { ApiVersion, PckCertificateRequest, TcbUpdate } from "../request.ts";
import type { CollateralProvider, Provided } from "./collateral-provider.ts";
import { completedQuote } from "./completed-quote.ts";
import { rootDistributionPoint } from "./distribution-point.ts";
import { type QuoteNeeds, quoteNeeds } from "./quote-needs.ts";
import { splitSignedJson } from "./signed-json-text.ts";

export interface QuoteCollateralTerms {
  /** Default standard. */
  readonly update?: TcbUpdate;
  /** Default 4. */
  readonly version?: ApiVersion;
}

/** The nine fields, and what they were made of. */
export interface QuoteCollateral {
  readonly collateral: Collateral;
  readonly parts: readonly Provided[];
  /** For a quote that names its platform by PPID: the same quote with the PCK certificate chain that was fetched, for the verifier. */
  readonly quote?: Uint8Array;
}

/**
 * Everything that verifying this quote needs, as one set: documents of one moment, and TCB info and identity of one TCB evaluation
 * where that can be had. A quote that has no PCK certificate but PPID data (types 1 to 3) gets one from the sources. A part that was
 * replaced while the others were collected makes it start over, once. Fails as {@link CollateralProvider.get} does, and for what is no
 * quote as `quoteNeeds`.
 */
export async function collateralForQuote(
  provider: CollateralProvider,
  quote: Uint8Array,
  terms: QuoteCollateralTerms = {},
): Promise<QuoteCollateral> {
  const needs = quoteNeeds(quote);
  const first = await collect(provider, needs, terms);
  const { set, pck } = first.current() ? first : await collect(provider, needs, terms);
  if (pck === undefined) return set;
  return { ...set, parts: [pck, ...set.parts], quote: completedQuote(quote, pck.answer) };
}

async function collect(
  provider: CollateralProvider,
  { tee, platform }: QuoteNeeds,
  { update = "standard", version = 4 }: QuoteCollateralTerms,
) {
  const pck = "kind" in platform ? await provider.get(platform) : undefined;
  const { fmspc, ca } = pck?.answer ?? (platform as Exclude<typeof platform, PckCertificateRequest>);
  const requests = {
    identity: { kind: "identity", id: tee === "tdx" ? "TD_QE" : "QE", update, version },
    tcbInfo: { kind: "tcb-info", tee, fmspc, update, version },
    pckCrl: { kind: "pck-crl", ca },
  } as const;
  let [identity, tcbInfo, pckCrl] = await Promise.all([
    provider.get(requests.identity),
    provider.get(requests.tcbInfo),
    provider.get(requests.pckCrl),
  ]);
  const url = rootDistributionPoint(identity.answer.issuerChain);
  const rootCrl = { kind: "root-ca-crl", ...(url === undefined ? {} : { url }) } as const;
  const rootCaCrl = await provider.get(rootCrl);
  // One of them was kept from before a TCB recovery: a source has the newer one by now.
  const behind = (identity.facts.tcbEvaluationDataNumber ?? 0) - (tcbInfo.facts.tcbEvaluationDataNumber ?? 0);
  if (behind < 0 && identity.fromCache) identity = await newerOf(identity, provider.refreshed(requests.identity));
  if (behind > 0 && tcbInfo.fromCache) tcbInfo = await newerOf(tcbInfo, provider.refreshed(requests.tcbInfo));
  const tcb = splitSignedJson(tcbInfo.answer.body, "tcbInfo");
  const enclave = splitSignedJson(identity.answer.body, "enclaveIdentity");
  const collateral: Collateral = {
    pck_crl_issuer_chain: pckCrl.answer.issuerChain,
    root_ca_crl: toHex(rootCaCrl.answer.crl),
    pck_crl: toHex(pckCrl.answer.crl),
    tcb_info_issuer_chain: tcbInfo.answer.issuerChain,
    tcb_info: tcb.body,
    tcb_info_signature: tcb.signature,
    qe_identity_issuer_chain: identity.answer.issuerChain,
    qe_identity: enclave.body,
    qe_identity_signature: enclave.signature,
  };
  return {
    pck,
    set: { collateral, parts: [identity, tcbInfo, pckCrl, rootCaCrl] satisfies readonly Provided[] },
    current: () =>
      provider.isCurrent(requests.identity, identity) &&
      provider.isCurrent(requests.tcbInfo, tcbInfo) &&
      provider.isCurrent(requests.pckCrl, pckCrl) &&
      provider.isCurrent(rootCrl, rootCaCrl),
  };
}

/** What is held is sound: that there is nothing newer to be had is no failure. */
async function newerOf<P extends Provided>(held: P, refreshed: Promise<P>): Promise<P> {
  try {
    return await refreshed;
  } catch {
    return held;
  }
}
