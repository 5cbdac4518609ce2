import { OWN_RESOURCES } from "../../names.ts";
import type { ObjectTemplate } from "../object-template.ts";
import { CONTAINERS, cel } from "./pod-expressions.ts";
import { POD_RESIZE, podPolicy } from "./pod-policy.ts";

/** Of every container in turn, what it asks for of each of our resources: neither containers nor their order change. */
const amounts = (containers: string): string =>
  `${containers}.map(c, ${cel(OWN_RESOURCES)}.map(n, ` +
  'c.?resources.?limits[?n].or(c.?resources.?requests[?n]).orValue("0")))';

const MESSAGE =
  "a resize cannot change what a pod has of SGX: create a pod that asks for what it needs when it is created";

/**
 * `sgx-policies-resize`: API server 1.34 lets a resize give extended resources to a container that had no limits, where
 * nobody looks at them: neither the scheduler, nor the policies about creation. Whoever may edit pods may resize them.
 */
export const resizePolicy: readonly ObjectTemplate[] = podPolicy({
  name: "resize",
  rule: POD_RESIZE,
  variables: [
    { name: "now", expression: amounts(CONTAINERS) },
    { name: "before", expression: amounts(CONTAINERS.replaceAll("object.", "oldObject.")) },
  ],
  validations: [
    {
      expression: "variables.now == variables.before",
      message: MESSAGE,
      messageExpression: cel(MESSAGE),
      reason: "Forbidden",
    },
  ],
  validationActions: ["Deny"],
});
