import { PCCS_NAME } from "../object-names.ts";
import { narrowingPolicy } from "./narrowing-policy.ts";

/**
 * Narrows the right to make the user token's Secret again to Secrets of type Opaque: of another type it would be handed a
 * token of whatever service account its annotation names.
 */
export const trustSecretPolicy = narrowingPolicy({
  serviceAccount: PCCS_NAME,
  suffix: "trust",
  who: "pccs-trust",
  requests: { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["secrets"], scope: "*" },
  validations: [['object.type == "Opaque"', "pccs-trust makes Secrets of type Opaque"]],
});
