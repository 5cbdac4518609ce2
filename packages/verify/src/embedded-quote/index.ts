export {
  EMBEDDED_QUOTE_SCHEMES,
  type EmbeddedQuote,
  looksLikeCertificate,
  readEmbeddedQuote,
} from "./embedded-quote.ts";
export type { KeyReference } from "./evidence.ts";
export { compareKey, type KeyBinding } from "./key-binding.ts";
export type { SubjectCertificate } from "./subject-certificate.ts";
export { type CertificateVerificationResult, verifyCertificate, verifyCertificateAsync } from "./verify-certificate.ts";
