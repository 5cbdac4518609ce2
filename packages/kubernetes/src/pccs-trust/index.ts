export { PccsTrust, type PccsTrustOptions } from "./pccs-trust.ts";
export { pccsTrustMetrics } from "./pccs-trust-metrics.ts";
export type { PublishingApi } from "./published-object.ts";
export { fingerprintOf, type TrustMaterial } from "./trust-material.ts";
