/** sgx_ql_qv_result_t: the verdict on a quote (spec: DCAP §11). Terminal ones mean: do not use the quote. */
export const QV_RESULTS = {
  0: { name: "OK", terminal: false, explanation: "The quote is genuine and the platform up to date." },
  40961: {
    name: "CONFIG_NEEDED",
    terminal: false,
    explanation: "The quote is genuine; the platform's configuration needs attention.",
  },
  40962: {
    name: "OUT_OF_DATE",
    terminal: false,
    explanation: "The quote is genuine; the platform's TCB is out of date.",
  },
  40963: {
    name: "OUT_OF_DATE_CONFIG_NEEDED",
    terminal: false,
    explanation: "The quote is genuine; the platform's TCB is out of date and its configuration needs attention.",
  },
  40964: { name: "INVALID_SIGNATURE", terminal: true, explanation: "The quote's signature is wrong." },
  40965: { name: "REVOKED", terminal: true, explanation: "The attestation key or the TCB is revoked." },
  40966: { name: "UNSPECIFIED", terminal: true, explanation: "Verification failed; the return code says why." },
  40967: {
    name: "SW_HARDENING_NEEDED",
    terminal: false,
    explanation: "The quote is genuine; the enclave must be hardened against known attacks.",
  },
  40968: {
    name: "CONFIG_AND_SW_HARDENING_NEEDED",
    terminal: false,
    explanation: "The quote is genuine; the platform's configuration needs attention and the enclave must be hardened.",
  },
  40969: {
    name: "TD_RELAUNCH_ADVISED",
    terminal: false,
    explanation: "The quote is genuine; relaunch the TD to take up the newer TDX module.",
  },
  40970: {
    name: "TD_RELAUNCH_ADVISED_CONFIG_NEEDED",
    terminal: false,
    explanation: "The quote is genuine; relaunch the TD, and the platform's configuration needs attention.",
  },
} as const;

export type QvResultCode = keyof typeof QV_RESULTS;
export type QvResultName = (typeof QV_RESULTS)[QvResultCode]["name"];

/** The codes by name: `QvResult.OUT_OF_DATE` is 0xa002. */
export const QvResult = Object.fromEntries(
  Object.entries(QV_RESULTS).map(([code, { name }]) => [name, Number(code)]),
) as { readonly [C in QvResultCode as (typeof QV_RESULTS)[C]["name"]]: C };
