export { AUTHORITY_FILE } from "./authority-record.ts";
export { collateralFiles, collateralJson } from "./collateral-files.ts";
export { type AuthorityOptions, openProvisioningAuthority } from "./open-authority.ts";
export {
  type CertificationCa,
  FMSPC,
  SOFTWARE_MARKER_TEXT,
} from "./profile.ts";
export { type CrlIssuer, REVOCATION_FILE, REVOCATION_REASONS, type RevocationReason } from "./revocation-state.ts";
export { COLLATERAL_FILE } from "./signed-collateral.ts";
export { SoftwareProvisioningAuthority } from "./software-authority.ts";
export { TCB_LEVELS, type TcbLevel } from "./tcb-levels.ts";
