export type { Validity } from "./certificate.ts";
export { type AuthorityRequest, createAuthority } from "./create-authority.ts";
export { issueServerCertificate, type ServerRequest } from "./issue-server-certificate.ts";
export type { CertifiedKey, RandomBytes } from "./key-pair.ts";
