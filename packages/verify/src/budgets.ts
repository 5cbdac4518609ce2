/** What one verification may be asked to work through. Every loop over input is bounded by one of these. */
export const BUDGETS = {
  /** Bytes of a quote. Real ones are about 5,000. */
  quoteBytes: 1 << 20,
  /** Bytes of one collateral field. CRLs are the largest. */
  fieldBytes: 8 << 20,
  /** Certificates of one PEM chain. */
  certificates: 16,
  /** Elements of one certificate and containers open at once. */
  certificateDer: { depth: 16, elements: 1000 },
  /** Bytes of one distinguished name. Real ones have about 110; an element has at least two. */
  nameBytes: 4000,
  /** Elements of one CRL: about four for each revoked certificate. */
  crlDer: { depth: 16, elements: 1_000_000 },
  /** Values of one JSON text and containers open at once. */
  jsonValues: 200_000,
  jsonDepth: 32,
  /** TCB levels of a TCB info, a module identity or a QE identity. */
  tcbLevels: 1000,
  tdxModuleIdentities: 256,
} as const;
