export { KubernetesError } from "../errors.ts";
export {
  PCCS_NAME,
  PCCS_TRUST_PORT,
  PCCS_USER_TOKEN_SECRET,
  QUOTE_ROOT_CONFIG_MAP,
} from "../manifests/object-names.ts";
export { PccsTrust, type PccsTrustOptions } from "./pccs-trust.ts";
export { pccsTrustMetrics } from "./pccs-trust-metrics.ts";
export type { PublishingApi } from "./published-object.ts";
export { fingerprintOf, type TrustMaterial } from "./trust-material.ts";
