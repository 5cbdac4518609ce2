import { AESM_VARIABLE, PROVISION_LABEL, PROVISION_RESOURCE } from "../../names.ts";
import { type ObjectTemplate, values } from "../object-template.ts";
import { asksFor, CONTAINERS, cel } from "./pod-expressions.ts";
import { EXEMPT_NAMESPACES, podPolicy } from "./pod-policy.ts";

const ALLOWED = "allowed";

const ASKS = ` asks for ${PROVISION_RESOURCE}, the right to the provisioning key, which is not allowed in namespace `;
const WAY_OUT =
  `: for quotes out-of-process take it away, or the annotation that names the container, and set ${AESM_VARIABLE}=1; ` +
  `for quotes in-process have an administrator label the namespace ${PROVISION_LABEL}=${ALLOWED}`;

/**
 * `sgx-policies-provision`: the provisioning key identifies the platform for ever, so only namespaces that an
 * administrator labelled may ask for it. A label is changed by whoever may change the namespace, which `edit` of RBAC may not.
 */
export const provisionPolicy: readonly ObjectTemplate[] = podPolicy({
  name: "provision",
  namespaceSelector: {
    matchExpressions: [EXEMPT_NAMESPACES, { key: PROVISION_LABEL, operator: "NotIn", values: [ALLOWED] }],
  },
  variables: [{ name: "asking", expression: `${CONTAINERS}.filter(c, ${asksFor("c", PROVISION_RESOURCE)})` }],
  validations: [
    {
      expression: "size(variables.asking) == 0",
      message: `a container${ASKS}of the pod${WAY_OUT}`,
      messageExpression: `"container " + variables.asking.map(c, c.name).join(", ") + ${cel(ASKS)} + request.namespace + ${cel(WAY_OUT)}`,
      reason: "Forbidden",
    },
  ],
  validationActions: [values.policies.provision],
});
