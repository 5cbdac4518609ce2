/**
 * Everything a verifier wants besides the quote, in the nine fields that verifiers in several languages exchange
 * (spec: DCAP §11). PEM and JSON as text; CRLs are hexadecimal of their DER, or PEM.
 */
export interface Collateral {
  readonly pck_crl_issuer_chain: string;
  readonly root_ca_crl: string;
  readonly pck_crl: string;
  readonly tcb_info_issuer_chain: string;
  /** The inner object alone, exactly as it was signed. */
  readonly tcb_info: string;
  /** 128 hexadecimal digits. */
  readonly tcb_info_signature: string;
  readonly qe_identity_issuer_chain: string;
  /** The inner object alone, exactly as it was signed. */
  readonly qe_identity: string;
  /** 128 hexadecimal digits. */
  readonly qe_identity_signature: string;
}

/** Every field of a {@link Collateral}. */
export const COLLATERAL_FIELDS = [
  "pck_crl_issuer_chain",
  "root_ca_crl",
  "pck_crl",
  "tcb_info_issuer_chain",
  "tcb_info",
  "tcb_info_signature",
  "qe_identity_issuer_chain",
  "qe_identity",
  "qe_identity_signature",
] as const satisfies readonly (keyof Collateral)[];
