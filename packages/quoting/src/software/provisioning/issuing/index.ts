/** Everything that issues or signs, and the certificate library with it: imported only when something must be issued. */
export { makeAuthority } from "./authority.ts";
export { signCollateral } from "./collateral.ts";
export { issuePckCertificate } from "./pck-certificate.ts";
