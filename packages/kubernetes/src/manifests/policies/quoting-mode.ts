import { AESM_VARIABLE, PROVISION_RESOURCE, QUOTE_RESOURCE } from "../../names.ts";
import type { ObjectTemplate } from "../object-template.ts";
import {
  asksForProvision,
  CONTAINERS,
  cel,
  isNamedAsProvider,
  optsIn,
  PROVIDERS,
  QUOTE_PROVIDER_ANNOTATIONS,
} from "./pod-expressions.ts";
import { podPolicy } from "./pod-policy.ts";

const OUT_OF_PROCESS = `${AESM_VARIABLE} or ${QUOTE_RESOURCE}`;
const BY_ANNOTATION = `the annotation ${QUOTE_PROVIDER_ANNOTATIONS.join(" or ")}`;

const BOTH_ASKED =
  ` asks for quotes in-process, by ${PROVISION_RESOURCE}, and out-of-process, by ${AESM_VARIABLE}, ` +
  `${QUOTE_RESOURCE} or a quote-provider annotation: ` +
  `an application uses one of the two, leave the other out`;

const BOTH_NAMED =
  ` quotes in-process, as ${BY_ANNOTATION} says, ` +
  `and asks for quotes out-of-process, by ${OUT_OF_PROCESS}: an application uses one of the two, leave the other out`;

const CONTRADICTION = `the annotations ${QUOTE_PROVIDER_ANNOTATIONS.join(" and ")} say`;

/** `sgx-policies-quoting-mode`: a container quotes in-process or out-of-process, never both (spec: Kubernetes §4.3, §8). */
export const quotingModePolicy: readonly ObjectTemplate[] = podPolicy({
  name: "quoting-mode",
  variables: [
    { name: "optedIn", expression: `${CONTAINERS}.filter(c, ${optsIn("c")})` },
    { name: "bothAsked", expression: `variables.optedIn.filter(c, ${asksForProvision("c")}).map(c, c.name)` },
    { name: "bothNamed", expression: `variables.optedIn.filter(c, ${isNamedAsProvider("c")}).map(c, c.name)` },
    { name: "providers", expression: PROVIDERS },
  ],
  // The first that fails is the one that is told: two annotations make the container's both modes seem its own fault.
  validations: [
    {
      expression: "variables.providers.all(p, p == variables.providers[0])",
      message: `${CONTRADICTION} different things: write one of the two`,
      messageExpression: `${cel(`${CONTRADICTION} `)} + variables.providers.join(" and ") + ": write one of the two"`,
      reason: "Invalid",
    },
    mutuallyExclusive("bothAsked", BOTH_ASKED),
    mutuallyExclusive("bothNamed", BOTH_NAMED),
  ],
  validationActions: ["Deny"],
});

function mutuallyExclusive(variable: string, text: string) {
  return {
    expression: `size(variables.${variable}) == 0`,
    message: `a container${text}`,
    messageExpression: `"container " + variables.${variable}.join(", ") + ${cel(text)}`,
    reason: "Forbidden",
  } as const;
}
