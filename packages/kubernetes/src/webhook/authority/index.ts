export { ROTATE_ANNOTATION } from "./authority-secret.ts";
export type { ServingCertificate } from "./serving-certificate.ts";
export {
  type AuthorityTimes,
  DEFAULT_AUTHORITY_TIMES,
  WebhookAuthority,
  type WebhookAuthorityOptions,
} from "./webhook-authority.ts";
export { FIELD_MANAGER } from "./webhook-configuration.ts";
