/** A chain as a certificate names it and as a header carries it. */
export interface IssuerChain {
  readonly pem: string;
  /** As `encodeURIComponent` writes it (spec: DCAP §12). */
  readonly encoded: string;
}

const MAX_CHAINS = 32;
const chains = new Map<string, IssuerChain>();

/** There are a handful of chains and a hundred thousand answers: all share one text of each, which is encoded once. */
export function issuerChain(pem: string): IssuerChain {
  const known = chains.get(pem);
  if (known !== undefined) return known;
  if (chains.size >= MAX_CHAINS) chains.clear();
  const chain = { pem, encoded: encodeURIComponent(pem) };
  chains.set(pem, chain);
  return chain;
}
