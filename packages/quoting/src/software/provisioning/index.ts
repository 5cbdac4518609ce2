export { PCE_ID } from "../pce/pce-identity.ts";
export { QE_IDENTITY } from "../qe/qe-identity.ts";
export { AUTHORITY_FILE } from "./authority-record.ts";
export { collateralFiles, collateralJson } from "./collateral-files.ts";
export { type AuthorityOptions, openProvisioningAuthority } from "./open-authority.ts";
export { p256Spki } from "./p256-spki.ts";
export {
  type CertificationCa,
  FMSPC,
  PCK_CRL_URIS,
  ROOT_CRL_URI,
  SOFTWARE_MARKER_TEXT,
} from "./profile.ts";
export { type CrlIssuer, REVOCATION_FILE, REVOCATION_REASONS, type RevocationReason } from "./revocation-state.ts";
export { COLLATERAL_FILE, outlivesRenewal } from "./signed-collateral.ts";
export type { SignedText } from "./signed-text.ts";
export { SoftwareProvisioningAuthority } from "./software-authority.ts";
export { decodeStateRecord, encodeStateRecord, hasTexts, isObject } from "./state-record.ts";
export { TCB_LEVELS, type TcbLevel } from "./tcb-levels.ts";
