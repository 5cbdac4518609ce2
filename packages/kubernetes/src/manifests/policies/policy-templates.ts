import type { ObjectTemplate } from "../object-template.ts";
import { epcAmountPolicy } from "./epc-amount.ts";
import { provisionPolicy } from "./provision.ts";
import { quotingModePolicy } from "./quoting-mode.ts";
import { resizePolicy } from "./resize.ts";

/** What applications may ask for, with the webhook or without it: the API server itself refuses. */
export const policyTemplates: readonly ObjectTemplate[] = [
  ...quotingModePolicy,
  ...epcAmountPolicy,
  ...provisionPolicy,
  ...resizePolicy,
];
