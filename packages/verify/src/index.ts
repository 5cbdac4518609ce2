export type { Collateral } from "@confcom/sgx";
export { SOFTWARE_PLATFORM_OID } from "@confcom/sgx";
export { BUDGETS } from "./budgets.ts";
export type { QveCollateral } from "./collateral/collateral.ts";
export { COLLATERAL_VERSIONS } from "./collateral/collateral.ts";
export type { TcbStatus } from "./collateral/tcb-status.ts";
export type { AsyncVerificationCrypto, HashFunctions, P256Key, VerificationCrypto } from "./crypto.ts";
export * from "./embedded-quote/index.ts";
export * from "./errors.ts";
export { createVerificationCache, type VerificationCache } from "./memory.ts";
export {
  ALLOWABLE_PLATFORMS,
  ALLOWABLE_RESULTS,
  type AllowableResult,
  type EnclavePolicy,
  HASH_ALGORITHMS,
  type HashAlgorithm,
  type MaskedBits,
  type Policy,
  type TdPolicy,
} from "./policy.ts";
export { parsePolicy } from "./policy-json.ts";
export * from "./result.ts";
export { isSoftwarePlatform } from "./software-marker.ts";
export { explainStatus, QVL_STATUSES, type QvlStatus } from "./status.ts";
export type { SupplementalData } from "./supplemental.ts";
export { encodeSupplementalData, SUPPLEMENTAL_SIZE } from "./supplemental-encoding.ts";
export { INTEL_SGX_ROOT_KEY, trustedRootFromCertificate } from "./trusted-root.ts";
export { type PolicyFailure, type PolicyVerdict, validate } from "./validate.ts";
export * from "./verifier.ts";
export type { VerificationTerms } from "./verify.ts";
export { type SubtleCryptoLike, webCrypto } from "./web-crypto.ts";
export { type Certificate, parseCertificate, sgxExtensionOf } from "./x509/certificate.ts";
export { decodePemCertificates } from "./x509/pem.ts";
