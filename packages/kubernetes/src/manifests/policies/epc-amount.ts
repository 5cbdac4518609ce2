import { AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE } from "../../names.ts";
import type { ObjectTemplate } from "../object-template.ts";
import { amountOf, CONTAINERS, cel } from "./pod-expressions.ts";
import { podPolicy } from "./pod-policy.ts";

const MIB = 1024 * 1024;

/**
 * EPC that no container can have, 1 TiB: two sockets with 512 GiB each are the largest machine, and its quote helper has
 * a part of that. "1Mi" of the resource that counts MiB is just this, so a unit and a number of bytes are both found
 * (spec: Kubernetes §1.3, §4.5).
 */
const IMPOSSIBLE = { [AZURE_EPC_RESOURCE]: "1Mi", [INTEL_EPC_RESOURCE]: "1Ti" } as const;

const isImpossible = (amount: string, resource: keyof typeof IMPOSSIBLE) =>
  `quantity(${amount}).compareTo(quantity(${cel(IMPOSSIBLE[resource])})) >= 0`;

const mib = amountOf("c", AZURE_EPC_RESOURCE);
const bytes = amountOf("c", INTEL_EPC_RESOURCE);

/** What the amount is in MiB if it was meant in bytes, rounded up. */
const meant = `string((quantity(${mib}).asInteger() + ${MIB - 1}) / ${MIB})`;

const COUNTS_MIB = ` of ${AZURE_EPC_RESOURCE}, which counts MiB: write `;
const COUNTS_BYTES = ` of ${INTEL_EPC_RESOURCE}, which counts bytes: no machine has that much, write a number with a unit, such as 64Mi`;

/**
 * `sgx-policies-epc-amount`: Kubernetes takes "10Mi" for ten million MiB, and the pod waits for ever. The API server
 * writes a plain number with decimal suffixes only, so "64Ki" has been written with a unit by a person.
 */
export const epcAmountPolicy: readonly ObjectTemplate[] = podPolicy({
  name: "epc-amount",
  variables: [
    {
      name: "withUnit",
      expression: `${CONTAINERS}.filter(c, ${mib}.endsWith("i") || ${isImpossible(mib, AZURE_EPC_RESOURCE)})`,
    },
    { name: "tooLarge", expression: `${CONTAINERS}.filter(c, ${isImpossible(bytes, INTEL_EPC_RESOURCE)})` },
  ],
  validations: [
    {
      expression: "size(variables.withUnit) == 0",
      message: `a container asks for more than any machine has${COUNTS_MIB}10, not 10Mi`,
      messageExpression:
        `variables.withUnit.map(c, "container " + c.name + " asks for " + ${mib} + ${cel(COUNTS_MIB)} + ` +
        `${meant} + ", not " + ${mib}).join("; ")`,
      reason: "Invalid",
    },
    {
      expression: "size(variables.tooLarge) == 0",
      message: `a container asks for too much${COUNTS_BYTES}`,
      messageExpression: `variables.tooLarge.map(c, "container " + c.name + " asks for " + ${bytes}).join(", ") + ${cel(COUNTS_BYTES)}`,
      reason: "Invalid",
    },
  ],
  validationActions: ["Deny"],
});
